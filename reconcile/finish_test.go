package reconcile

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type joined struct {
	statestore.Store
	name, place string
	log         *journal
}

type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, line)
	slices.Sort(j.lines)
}

type jointPlace struct {
	statestore.Location
	name string
	log  *journal
}

func (p jointPlace) Write(ctx context.Context, parts []statestore.ViewChanges) []statestore.Outcome {
	if len(parts) == 1 {
		return statestore.WriteEach(ctx, parts)
	}
	said := "together"
	var outcomes []statestore.Outcome
	for _, part := range parts {
		if store, ok := part.View.Store.(*joined); ok {
			said += " " + store.name
			outcomes = append(outcomes, statestore.Outcome{Revision: statestore.Revision("with " + store.name)})
		}
	}
	p.log.add(said)
	return outcomes
}

func (j *joined) Apply(context.Context, statestore.ChangeSet) (statestore.Revision, error) {
	j.log.add("alone " + j.name)
	return statestore.Revision(j.name), nil
}

func TestStoresOfOneLocationAreWrittenTogether(t *testing.T) {
	changed := statestore.ChangeSet{Write: []tree.File{{Path: testkit.Path("x")}}}
	for name, c := range map[string]struct {
		stores  []joined
		without string
		log     []string
		want    []statestore.Outcome
	}{
		"nothing": {},
		"one":     {stores: []joined{{name: "a"}}, log: []string{"alone a"}, want: []statestore.Outcome{{Revision: "a"}}},
		"two places": {
			stores: []joined{{name: "a", place: "x"}, {name: "b", place: "y"}, {name: "c", place: "x"}},
			log:    []string{"alone b", "together a c"},
			want:   []statestore.Outcome{{Revision: "with a"}, {Revision: "b"}, {Revision: "with c"}},
		},
		"one without changes": {
			stores: []joined{{name: "a"}, {name: "b"}, {name: "c"}}, without: "a",
			log:  []string{"alone a", "together b c"},
			want: []statestore.Outcome{{Revision: "a"}, {Revision: "with b"}, {Revision: "with c"}},
		},
		"only one with changes": {
			stores: []joined{{name: "a"}, {name: "b"}}, without: "b",
			log:  []string{"alone a", "alone b"},
			want: []statestore.Outcome{{Revision: "a"}, {Revision: "b"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log journal
			var parts []statestore.StoreChanges
			for i := range c.stores {
				c.stores[i].log = &log
				part := statestore.StoreChanges{Store: statestore.View{Store: &c.stores[i], Location: jointPlace{name: c.stores[i].place, log: &log}}, Changes: changed}
				if c.stores[i].name == c.without {
					part.Changes = statestore.ChangeSet{}
				}
				parts = append(parts, part)
			}
			got := Commit(t.Context(), parts)
			if !slices.Equal(log.lines, c.log) || !slices.Equal(got, c.want) {
				t.Errorf("%q\n%v, want %q\n%v", log.lines, got, c.log, c.want)
			}
		})
	}
}

func TestStoreThatCannotJoinIsWrittenAlone(t *testing.T) {
	w := newEnv(t)
	changed := statestore.ChangeSet{Write: []tree.File{{Path: testkit.Path("x")}}}
	var log journal
	other := &joined{name: "a", log: &log}
	got := Commit(t.Context(), []statestore.StoreChanges{{Store: w.store, Changes: changed}, {Store: other, Changes: changed}})
	if len(got) != 2 || got[0].Err != nil || len(w.paths()) != 1 || fmt.Sprint(log.lines) != "[alone a]" {
		t.Errorf("%v, %v", got, log.lines)
	}
}
