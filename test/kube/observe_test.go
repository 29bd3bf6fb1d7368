package kube

import (
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

// TestObserving: Kratix schedules and writes; what would break Flux is told, and
// nothing else is touched.
func TestObserving(t *testing.T) {
	p := newPlatform(t, "observe")
	p.destination("worker-1", "default", "none", nil)
	a := work("a", nil, "same")
	content, err := kratix.Decode(a.Spec.WorkloadGroups[0].Workloads[0].Content)
	must(t, err)
	gittest.Commit(t, p.repository, "main", map[string]string{"worker-1/resources/default/redis/a/instance/5058f/same.yaml": string(content)})
	p.object(a)
	a.Generation = 1
	p.object(kratix.NewWorkPlacement(a, &a.Spec.WorkloadGroups[0], "worker-1"))
	head := gittest.Git(t, p.repository, "rev-parse", "main")
	p.schedule("--dry-run")

	p.object(work("b", nil, "same"))
	p.comesTo("work/b", "ConflictFree", "False DuplicateResources")
	said := p.kubectl("describe", "work/b")
	if !strings.Contains(said, "request default/a of Promise redis has it in Work default/a, same.yaml") {
		t.Errorf("kubectl describe says\n%s", said)
	}
	for object, kind := range map[string]string{"work/a": "ConflictFree", "work/b": "Ready", "workplacement/a.worker-1-5058f": "Ready"} {
		if got := p.condition(object, kind); got != " " && got != "" {
			t.Errorf("%s is told %s %s", object, kind, got)
		}
	}
	if got := strings.Fields(p.kubectl("get", "workplacements", "-o", "name")); !slices.Equal(got, []string{"workplacement.platform.kratix.io/a.worker-1-5058f"}) {
		t.Errorf("WorkPlacements %v", got)
	}
	p.kubectl("delete", "work/a")
	p.comesTo("work/b", "ConflictFree", "True NoConflict")
	if now := gittest.Git(t, p.repository, "rev-parse", "main"); now != head {
		t.Errorf("the store was written: %s", gittest.Git(t, p.repository, "log", "--oneline", "main"))
	}
}
