package reconcile

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// throttled is a Finish that writes nothing while closed is true.
type throttled struct{ closed bool }

func (f *throttled) finish(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
	if !f.closed {
		return Commit(ctx, parts)
	}
	outcomes := make([]statestore.Outcome, len(parts))
	for i, part := range parts {
		if !part.Changes.Empty() {
			outcomes[i].Err = &statestore.Error{Op: "write", Store: "GitStateStore default", Err: fmt.Errorf("%w at 15:04:05 UTC", statestore.ErrThrottled)}
		}
	}
	return outcomes
}

func TestThrottledChangesAreReportedAndWrittenLater(t *testing.T) {
	w, limit := newEnv(t), &throttled{}
	w.finish = limit.finish
	w.put("a", "a")
	w.put("old", "old")
	w.round()
	before := w.commits()
	limit.closed = true
	w.put("b", "b")
	w.remove("old")
	w.reconciler.Policy.Allow = Allowance{}
	r := w.round()
	w.expect(r, map[string]report.State{"a": report.Unchanged, "b": report.Pending, "old": report.Pending})
	for _, p := range r.Placements {
		if p.State == report.Pending && p.Reason != "waits for the next commit at 15:04:05 UTC" {
			t.Errorf("%s: %s", p.Work, p.Reason)
		}
	}
	if w.commits() != before || r.Due != 0 || r.Has(finding.StoreFailed()) {
		t.Errorf("%d commits, due %s, findings %v", w.commits()-before, r.Due, r.Findings)
	}
	w.put("c", "c")
	limit.closed = false
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Placed, "c": report.Placed, "old": report.Removed})
	if w.commits() != before+1 {
		t.Errorf("%d commits", w.commits()-before)
	}
}

func TestStoreThatRefusesEverythingFailsWhileItsCommitsAreLimited(t *testing.T) {
	w, limit := newRefusing(t, 1), &throttled{}
	w.finish = limit.finish
	w.server.refuses = func(statestore.ChangeSet) string { return "protected branch: use a pull request" }
	for i := range 4 {
		w.bring(fmt.Sprint("w", i), "worker-0", "")
	}
	wantStates(t, w.round(), report.Failed, nil)
	for _, closed := range []bool{true, false} {
		limit.closed = closed
		r := w.round()
		wantStates(t, r, report.Failed, nil)
		if found := findingsOf(r, finding.StoreFailed()); len(found) != 1 || !strings.Contains(found[0].Message, "use a pull request") {
			t.Errorf("closed is %v, and the findings are %v", closed, r.Findings)
		}
	}
	w.server.refuses = func(statestore.ChangeSet) string { return "" }
	w.round()
	wantStates(t, w.round(), report.Unchanged, nil)
}

func TestInvalidLimitOfCommitsIsReported(t *testing.T) {
	for value, found := range map[string]int{"12": 0, "0": 0, "6001": 1, "-1": 1, "many": 1} {
		w := newEnv(t)
		w.snapshot.GitStateStores[0].Annotations = map[string]string{kratix.CommitsPerMinuteAnnotation: value}
		r := w.round()
		if got := findingsOf(r, finding.InvalidAnnotation()); len(got) != found ||
			found > 0 && (got[0].Place.Object != "GitStateStore default" || !strings.Contains(got[0].Message, fmt.Sprintf("is %q and must be a whole number from 0 to 6000", value))) {
			t.Errorf("%s: %v", value, r.Findings)
		}
	}
}
