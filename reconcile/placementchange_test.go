package reconcile

import (
	"context"
	"reflect"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestChangesNameTheWorkAndItsRequest(t *testing.T) {
	w := newEnv(t)
	var seen []statestore.PlacementChange
	w.finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		seen = nil
		for _, part := range parts {
			seen = append(seen, part.Changes.Placements...)
		}
		return Commit(ctx, parts)
	}
	step := func(name string, want ...statestore.PlacementChange) {
		t.Helper()
		w.round()
		if !reflect.DeepEqual(seen, want) {
			t.Errorf("%s: %+v, want %+v", name, seen, want)
		}
	}
	by := func(name, who string, maps ...string) {
		work := w.put(name, maps...)
		work.Labels, work.Annotations = map[string]string{"team": who + "s"}, map[string]string{"by": who}
	}
	change := func(action statestore.Action, name, who string) statestore.PlacementChange {
		made := statestore.PlacementChange{
			Action: action, Work: "default/" + name, Destination: "worker-1", Promise: testkit.Request(name).Spec.PromiseName, Resource: "default/" + name,
		}
		if who != "" {
			made.Labels, made.Annotations = map[string]string{"team": who + "s"}, map[string]string{"by": who}
		}
		return made
	}
	by("a", "alice", "one")
	step("the first Work", change(statestore.Place, "a", "alice"))
	by("b", "bob", "two")
	step("one more", change(statestore.Place, "b", "bob"))
	by("b", "carol", "three")
	step("a change by somebody else", change(statestore.Update, "b", "carol"))
	w.policy.Allow = AllowUpTo(1)
	w.remove("b")
	step("a removal", change(statestore.Remove, "b", ""))

	w = newEnv(t)
	w.finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		seen = parts[0].Changes.Placements
		return Commit(ctx, parts)
	}
	w.put("setup", "one").Spec.ResourceName = ""
	dependency := change(statestore.Place, "setup", "")
	dependency.Resource = ""
	step("a dependency", dependency)
}
