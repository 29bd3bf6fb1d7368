package daemon

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/share"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

// joining is a store that is written with others, and says when.
type joining struct {
	statestore.Store
	during func()
}

func (j *joining) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	j.during()
	return j.Store.Apply(ctx, changes)
}

// joint is where they lie.
type joint struct{ statestore.Location }

func (joint) Write(ctx context.Context, parts []statestore.ViewPart) []statestore.Outcome {
	if len(parts) == 1 {
		return statestore.WriteEach(ctx, parts)
	}
	outcomes := make([]statestore.Outcome, len(parts))
	for i, part := range parts {
		inner, _ := part.View.Store.(*joining)
		if i == 0 {
			inner.during()
		}
		outcomes[i].Revision, outcomes[i].Err = inner.Store.Apply(ctx, part.Changes)
	}
	return outcomes
}

// joinable opens stores that join, each once.
type joinable struct {
	open   map[kratix.StateStoreReference]*joining
	during func()
}

var _ statestore.Opener = joinable{}

func (o joinable) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	if o.open[ref] == nil {
		o.open[ref] = &joining{memory.New(ref.String()), o.during}
	}
	return statestore.View{Name: ref.String(), Store: o.open[ref], Location: joint{}}, nil
}

// TestASharedStoreIsWrittenOnlyByWhoHasItsPlace, and stays that one's until the
// write is over.
func TestASharedStoreIsWrittenOnlyByWhoHasItsPlace(t *testing.T) {
	now := time.Unix(0, 0)
	s := share.New("a", func() time.Time { return now })
	settle := func(others ...share.Replica) {
		for range 2 {
			s.Published(s.View(), now.Add(time.Hour))
			s.Seen(others)
		}
	}
	other := share.Replica{Name: "b"} // it has every place that a has not
	spec := &kratix.GitStateStore{}
	spec.Spec.URL = "https://git.example.com/stores"
	for share.Owner(spec.Location().Place, []string{"a", "b"}) != "b" {
		spec.Spec.URL += "x"
	}
	writes := 0
	opener := sharedStores{joinable{
		open: map[kratix.StateStoreReference]*joining{},
		during: func() {
			writes++
			if settle(other); len(s.View()) != 1 {
				t.Errorf("a write is in hand, and it would give the place to another: view %v", s.View())
			}
		},
	}, s}
	open := func(name string) statestore.View {
		store, err := opener.Open(kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: name}, spec, nil)
		if err != nil {
			t.Fatal(err)
		}
		return statestore.ViewOf("", store)
	}
	one, two := open("one"), open("two")
	if one != open("one") {
		t.Error("the same store is another")
	}
	path, err := tree.ParsePath("file")
	if err != nil {
		t.Fatal(err)
	}
	changes := statestore.ChangeSet{Write: []tree.File{{Path: path, Content: []byte("x")}}}
	alone := func() error {
		_, err := one.Apply(t.Context(), changes)
		return err
	}
	if one.Location != two.Location {
		t.Fatal("two stores in one place do not join")
	}
	together := func() error {
		var all error
		for _, outcome := range one.Location.Write(t.Context(), []statestore.ViewPart{{View: one, Changes: changes}, {View: two, Changes: changes}}) {
			all = errors.Join(all, outcome.Err)
		}
		return all
	}
	for name, write := range map[string]func() error{"alone": alone, "together": together} {
		before := writes
		settle(other)
		if err := write(); !errors.Is(err, statestore.ErrStale) || writes != before {
			t.Errorf("%s: another has the place, and it was written: %v", name, err)
		}
		settle()
		if _ = write(); writes != before+1 {
			t.Errorf("%s: it has the place, and did not write", name)
		}
		if settle(other); len(s.View()) != 2 {
			t.Errorf("%s: the write is over, and the place is still its own", name)
		}
	}
}
