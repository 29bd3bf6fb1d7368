package reconcile

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func TestPlacementsOfAnotherOwnerAreLeftAloneUntilAdopted(t *testing.T) {
	w := newEnv(t)
	w.policy = Policy{Owner: "north"}
	w.put("a", "x")
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	if record := w.content(aRecord); !strings.Contains(record, "kratix-schedule.io/owner: north\n") {
		t.Errorf("the record does not name its owner:\n%s", record)
	}
	before := w.state().Revision
	for _, other := range []string{"south", ""} {
		w.policy = Policy{Owner: other}
		w.remove("a")
		w.put("b", "y")
		result := w.round()
		w.expect(result, map[string]report.State{"b": report.Unplaced}, "KS065", "KS045")
		if message := result.Findings[0].Message; !strings.Contains(message, `"worker-1"`) || !strings.Contains(message, `owner "north"`) {
			t.Errorf("message %q", message)
		}
		if w.state().Revision != before {
			t.Fatal("the store was written")
		}
	}
	w.policy = Policy{Owner: "south", Adopt: true}
	w.put("a", "x")
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Placed})
	w.policy = Policy{Owner: "south"}
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Unchanged})
}

func TestRecordsWithoutAControllerIDAreAdopted(t *testing.T) {
	w := newEnv(t)
	w.put("a", "x")
	w.round()
	w.policy = Policy{Owner: "north"}
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged})
}
