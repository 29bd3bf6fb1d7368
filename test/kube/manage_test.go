package kube

import (
	"os"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func TestTheWorkshopsRequestsClashAndTheSecondWaitsForTheFirstToGo(t *testing.T) {
	p := newPlatform(t, "base")
	p.destination("worker-1", "default", "none", map[string]string{"environment": "dev"})
	p.schedule("--leader-elect")
	const first, second = "work/elastic-cloud-example-default-instance-8172a", "work/elastic-cloud-"
	apply := func(file string) string {
		content, err := os.ReadFile(root + "/testdata/elastic-cloud/" + file)
		must(t, err)
		p.apply(string(content))
		for line := range strings.Lines(string(content)) {
			if name, ok := strings.CutPrefix(line, "  name: "); ok {
				return "work/" + strings.TrimSpace(name)
			}
		}
		return ""
	}
	one := apply("work-example.yaml")
	p.kubectl("wait", "--for=condition=Ready", "--timeout=90s", one)
	p.comesTo(one, "ConflictFree", "True NoConflict")
	placement := "workplacement/" + strings.TrimPrefix(one, "work/") + ".worker-1-5058f"
	p.comesTo(placement, "Ready", "True WorkloadsWrittenToTargetDestination")
	if got, want := p.get(placement, "{.status.versionID}"), gittest.Git(t, p.repository, "rev-parse", "main"); got != want {
		t.Errorf("versionID %q, want the commit %q", got, want)
	}
	if got := p.get(placement, "{.metadata.finalizers[0]} {.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].uid}"); got !=
		"finalizers.workplacement.kratix.io/repo-cleanup Work "+p.get(one, "{.metadata.uid}") {
		t.Errorf("metadata %q", got)
	}

	two := apply("work-second-request.yaml")
	p.comesTo(two, "ConflictFree", "False DuplicateResources")
	p.comesTo(two, "Ready", "False WorkplacementsFailing")
	p.comesTo("destination/worker-1", "ConflictFree", "False DuplicateResources")
	said := p.kubectl("describe", two)
	for _, want := range []string{"CustomResourceDefinition", "request default/example of Promise elastic-cloud", "may not add resource with an already registered id", "Warning", "Promise's dependencies"} {
		if !strings.Contains(said, want) {
			t.Errorf("kubectl describe does not say %q:\n%s", want, said)
		}
	}

	p.kubectl("delete", one, "--wait=false")
	p.kubectl("wait", "--for=condition=Ready", "--timeout=90s", two)
	p.comesTo(two, "ConflictFree", "True NoConflict")
	p.kubectl("wait", "--for=delete", "--timeout=90s", placement)
	p.comesTo("destination/worker-1", "ConflictFree", "True NoConflict")
}
