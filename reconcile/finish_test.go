package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// joined is a store that joins those of the same place, and writes down what is
// asked of it.
type joined struct {
	statestore.Store
	name, place string
	together    error // of ApplyAll
	alone       error // of Apply
	log         *[]string
}

var _ joiner = (*joined)(nil)

func (j *joined) Joins(other statestore.Store) bool {
	o, ok := other.(*joined)
	return ok && o.place == j.place
}

func (j *joined) ApplyAll(_ context.Context, parts []statestore.Part) (statestore.Revision, error) {
	said := "together"
	for _, part := range parts {
		said += " " + part.Store.(*joined).name
	}
	*j.log = append(*j.log, said)
	return "all", j.together
}

func (j *joined) Apply(context.Context, statestore.ChangeSet) (statestore.Revision, error) {
	*j.log = append(*j.log, "alone "+j.name)
	return statestore.Revision(j.name), j.alone
}

func TestWhatLiesInOnePlaceIsWrittenAtOnce(t *testing.T) {
	changed := statestore.ChangeSet{Write: []tree.File{{Path: parse("x")}}}
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		stores  []joined
		changes map[string]statestore.ChangeSet // instead of changed
		log     []string
		want    []Outcome
	}{
		"nothing": {},
		"one":     {stores: []joined{{name: "a"}}, log: []string{"alone a"}, want: []Outcome{{Revision: "a"}}},
		"two places": {
			stores: []joined{{name: "a", place: "x"}, {name: "b", place: "y"}, {name: "c", place: "x"}},
			log:    []string{"together a c", "alone b"},
			want:   []Outcome{{Revision: "all"}, {Revision: "b"}, {Revision: "all"}},
		},
		"one without changes": {
			stores:  []joined{{name: "a"}, {name: "b"}, {name: "c"}},
			changes: map[string]statestore.ChangeSet{"a": {}},
			log:     []string{"alone a", "together b c"},
			want:    []Outcome{{Revision: "a"}, {Revision: "all"}, {Revision: "all"}},
		},
		"a failure of one": {
			stores: []joined{{name: "a", together: broken}, {name: "b", alone: broken}, {name: "c"}},
			log:    []string{"together a b c", "alone a", "alone b", "alone c"},
			want:   []Outcome{{Revision: "a"}, {Revision: "b", Err: broken}, {Revision: "c"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log []string
			var parts []statestore.Part
			for i := range c.stores {
				store := &c.stores[i]
				store.log = &log
				changes, other := c.changes[store.name]
				if !other {
					changes = changed
				}
				parts = append(parts, statestore.Part{Store: store, Changes: changes})
			}
			got := Commit(t.Context(), parts)
			if !slices.Equal(log, c.log) || !slices.Equal(got, c.want) {
				t.Errorf("%q\n%v, want %q\n%v", log, got, c.log, c.want)
			}
		})
	}
}

func TestAStoreThatCannotJoinIsWrittenAlone(t *testing.T) {
	w := newWorld(t)
	changed := statestore.ChangeSet{Write: []tree.File{{Path: parse("x")}}}
	var log []string
	other := &joined{name: "a", log: &log}
	got := Commit(t.Context(), []statestore.Part{{Store: w.store, Changes: changed}, {Store: other, Changes: changed}})
	if len(got) != 2 || got[0].Err != nil || len(w.paths()) != 1 || fmt.Sprint(log) != "[alone a]" {
		t.Errorf("%v, %v", got, log)
	}
}
