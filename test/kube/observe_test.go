package kube

import (
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

func TestObserving(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "observe")
	p.destination("worker-1", "default", "none", nil)
	a := work("a", nil, "same")
	content, err := kratix.Decode(a.Spec.WorkloadGroups[0].Workloads[0].Content)
	must(t, err)
	gittest.Commit(t, p.repository, "main", map[string]string{"worker-1/resources/default/redis/a/instance/5058f/same.yaml": string(content)})
	p.object(a)
	a.Generation = 1
	p.object(testkit.Placement(a, "worker-1"))
	head := gittest.Git(t, p.repository, "rev-parse", "main")
	observer := p.schedule("--dry-run")

	p.object(work("b", nil, "same"))
	p.waitForCondition("work/b", "ConflictFree", "False DuplicateResources")
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
	p.object(work("c", nil, "another")) // the round for this Work has also seen the deletion
	p.eventually("a round", func() string {
		if !strings.Contains(observer.String(), `"work":"default/c"`) {
			return "it has not seen the last Work"
		}
		return ""
	})
	if got := p.condition("work/b", "ConflictFree"); got != "False DuplicateResources" {
		t.Errorf("ConflictFree is %q while the other's files are there", got)
	}
	gittest.Remove(t, p.repository, "main", "worker-1/resources/default/redis/a/instance/5058f/same.yaml")
	head = gittest.Git(t, p.repository, "rev-parse", "main")
	p.kubectl("delete", "workplacement/a.worker-1-5058f")
	p.waitForCondition("work/b", "ConflictFree", "True NoConflict")
	if now := gittest.Git(t, p.repository, "rev-parse", "main"); now != head {
		t.Errorf("the store was written: %s", gittest.Git(t, p.repository, "log", "--oneline", "main"))
	}
}

func TestObservingKratix(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "observe")
	p.destination("worker-1", "default", "none", nil)
	p.standIn(kratixlike.Options{})
	p.schedule("--dry-run")
	p.object(work("a", nil, "same"))
	p.waitForCondition("workplacement/a.worker-1-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	p.object(work("b", nil, "same"))
	p.waitForCondition("work/b", "ConflictFree", "False DuplicateResources")
	p.waitForCondition("workplacement/b.worker-1-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	p.kubectl("delete", "work/a", "--wait=false")
	p.waitForCondition("work/b", "ConflictFree", "True NoConflict")
	p.waitForFiles("worker-1/resources/default/redis/b/instance/5058f/same.yaml")
}
