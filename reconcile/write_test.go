package reconcile

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func bulky(t *testing.T, destinations int) *testEnv {
	w := newEnv(t)
	w.snapshot.Destinations = nil
	for i := range destinations {
		name := fmt.Sprint("worker-", i)
		w.addDestination(name, name).Labels = map[string]string{"name": name}
		made := w.putFiles(name, map[string]string{"notes.txt": strings.Repeat("x", maxWrite/2)})
		made.Spec.WorkloadGroups[0].DestinationSelectors = []kratix.Selector{{Source: kratix.PromiseSource, MatchLabels: map[string]string{"name": name}}}
	}
	return w
}

func TestMuchIsWrittenInSeveralPieces(t *testing.T) {
	w := bulky(t, 5)
	var bases []statestore.Revision
	w.finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		bases = append(bases, parts[0].Changes.Base)
		return Commit(ctx, parts)
	}
	r := w.round()
	if len(r.Placements) != 5 || len(r.Stores) != 1 || len(r.Stores[0].Destinations) != 5 || len(r.Stores[0].Covered) != 5 {
		t.Errorf("%d placements, stores %v", len(r.Placements), r.Stores)
	}
	for _, p := range r.Placements {
		if p.State != report.Placed {
			t.Errorf("%s is %s", p.Work, p.State)
		}
	}
	if len(bases) != 5 || bases[0] == bases[1] || string(bases[4]) == r.Stores[0].Revision {
		t.Errorf("written upon %v, at last at %s", bases, r.Stores[0].Revision)
	}
	if again := w.round(); again.Changes() {
		t.Errorf("changed again: %v", again)
	}
}

func TestPiecesAfterAFailedOneAreNotWritten(t *testing.T) {
	w := bulky(t, 4)
	pieces := 0
	w.finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		if pieces++; pieces == 2 {
			return []statestore.Outcome{{Err: statestore.ErrUnavailable}}
		}
		return Commit(ctx, parts)
	}
	r := w.round()
	if got := fmt.Sprint(states(r)); pieces != 2 || strings.Count(got, string(report.Placed)) != 1 || strings.Count(got, string(report.Failed)) != 3 {
		t.Errorf("%d pieces: %s", pieces, got)
	}
	r = w.round()
	if got := fmt.Sprint(states(r)); strings.Count(got, string(report.Placed)) != 3 || strings.Count(got, string(report.Unchanged)) != 1 {
		t.Errorf("the rest: %s", got)
	}
}

func TestPartialWriteIsReportedWithTheNextTry(t *testing.T) {
	w := bulky(t, 3)
	pieces := 0
	w.finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
		if pieces++; pieces == 2 {
			return []statestore.Outcome{{Err: statestore.ErrStale}}
		}
		return Commit(ctx, parts)
	}
	r := w.round()
	if got := fmt.Sprint(states(r)); strings.Count(got, string(report.Placed)) != 3 || len(r.Stores) != 1 || len(r.Stores[0].Destinations) != 3 {
		t.Errorf("%s, stores %v", got, r.Stores)
	}
}
