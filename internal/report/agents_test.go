package report

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func placedOn(work string, state State) Placement {
	object := &kratix.WorkPlacement{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: work + ".worker-1"}, Spec: kratix.WorkPlacementSpec{ResourceName: work}}
	return Placement{Work: "default/" + work, Directory: ".", Destination: "worker-1", State: state, Reason: "it fits", Object: object}
}

func delivered() Document {
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	applied := agent.Mark{Revision: "1", Time: noon}
	state := agent.State{
		Applied: applied, Healthy: applied,
		Failure: &agent.Failure{Revision: "2", Outcome: agent.ApplyFailed, Message: "ConfigMap/a/x dry-run failed: no", Since: noon.Add(time.Minute)},
	}
	fine, bad, fresh := placedOn("fine", Unchanged), placedOn("bad", Unchanged), placedOn("fresh", Placed)
	heldBack := placedOn("held", HeldBack)
	key := kratix.KeyOf(bad.Object)
	changed := map[kratix.Key]bool{key: true}
	return Document{
		Done: Planned, Version: "v1",
		Report: Report{
			Placements: []Placement{bad, fine, heldBack, fresh, {Work: "default/z", Directory: ".", State: Unplaced, Reason: "nothing fits"}},
			Deliveries: []Delivery{
				{
					Destination: "worker-1", Root: agent.Resources, State: state, Stable: state, AppliedKnown: true, HealthyKnown: true, Unapplied: changed, Unchecked: changed,
					Failing: []Claimant{{Placement: key, Work: "default/bad"}},
				},
				{Destination: "worker-1", Root: agent.Dependencies, State: agent.State{Applied: applied}, Stable: agent.State{Applied: applied}},
			},
		},
	}
}

func TestFormatsHaveWhatAgentsReport(t *testing.T) {
	for _, name := range []string{"json", "yaml", "text", "html"} {
		format, _ := FormatNamed(name)
		got, golden := written(t, format, delivered()), "testdata/agents."+name
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestPlacementWithoutFilesHasNoAgent(t *testing.T) {
	agents := delivered().Agents()
	heldBack, elsewhere := placedOn("held", HeldBack), placedOn("fine", Unchanged)
	elsewhere.Destination = "worker-2"
	written := heldBack
	written.Written = true
	for name, test := range map[string]struct {
		placement Placement
		want      bool
	}{
		"held back before it was written": {heldBack, false},
		"held back, with former files":    {written, true},
		"removed":                         {placedOn("fine", Removed), false},
		"on another Destination":          {elsewhere, false},
		"not placed":                      {Placement{Work: "default/z", State: Unplaced}, false},
	} {
		if _, known := agents.Of(&test.placement); known != test.want {
			t.Errorf("%s: known is %t", name, known)
		}
	}
}
