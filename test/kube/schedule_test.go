package kube

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

// besideKratix is a cluster in which a stand-in of Kratix runs, and
// kratix-schedule may run beside it in schedule mode.
type besideKratix struct {
	*platform
	kratix *rest.Config
	stand  *kratixlike.Running
}

// newBesideKratix starts the cluster and the stand-in.
func newBesideKratix(t testing.TB, options kratixlike.Options, flags ...string) *besideKratix {
	t.Helper()
	c := emptyCluster(t, flags...)
	account, err := kratixlike.Grant(t.Context(), &rest.Config{
		Host: c.url, BearerToken: adminToken, TLSClientConfig: rest.TLSClientConfig{CAFile: c.file("tls.crt")},
	})
	must(t, err)
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/crds"))
	c.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/schedule"))
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/secrets"))
	b := &besideKratix{platform: platformOn(t, c), kratix: account}
	b.startKratix(options)
	return b
}

// startKratix starts the stand-in, until the test ends.
func (b *besideKratix) startKratix(options kratixlike.Options) {
	b.t.Helper()
	var err error
	b.stand, err = kratixlike.Start(b.t.Context(), b.kratix, options)
	must(b.t, err)
	b.t.Cleanup(b.stand.Stop)
}

// elastic applies one of the workshop's requests, and returns its Work.
func (p *platform) elastic(file string) string {
	p.t.Helper()
	content, err := os.ReadFile(root + "/testdata/elastic-cloud/" + file)
	must(p.t, err)
	p.apply(string(content))
	for line := range strings.Lines(string(content)) {
		if name, ok := strings.CutPrefix(line, "  name: "); ok {
			return "work/" + strings.TrimSpace(name)
		}
	}
	return ""
}

// placementsOf returns the names of a Work's WorkPlacements, sorted.
func (p *platform) placementsOf(work string) []string {
	p.t.Helper()
	said := p.kubectl("get", "workplacements", "-A", "-o", "jsonpath={.items[*].metadata.name}", "-l", kratix.WorkLabel+"="+strings.TrimPrefix(work, "work/"))
	return slices.Sorted(slices.Values(strings.Fields(said)))
}

func TestKratixWritesWhatIsScheduledAndNoConflict(t *testing.T) {
	p := newBesideKratix(t, kratixlike.Options{})
	p.destination("worker-1", "default", "none", map[string]string{"environment": "dev"})
	p.platform.schedule("--schedule-only", "--leader-elect")
	one := p.elastic("work-example.yaml")
	p.comesTo(one, "Ready", "True AllWorkplacementsScheduled")
	p.comesTo(one, "Scheduled", "True AllWorkplacementsScheduled")
	two := p.elastic("work-second-request.yaml")
	p.comesTo(two, "ConflictFree", "False DuplicateResources")
	p.comesTo(two, "Scheduled", "False HeldBack")
	p.comesTo(two, "Ready", "False FailedToScheduleWorkloads")
	if got := p.placementsOf(two); len(got) > 0 {
		t.Errorf("what is held back has WorkPlacements: %v", got)
	}
	p.kubectl("delete", one, "--wait=false")
	began := time.Now()
	p.comesTo(two, "ConflictFree", "True NoConflict")
	p.comesTo(two, "Ready", "True AllWorkplacementsScheduled")
	t.Logf("%s", gittest.Git(t, p.repository, "log", "--format=%cI %s", "main"))
	t.Logf("began %v", began.Format(time.RFC3339Nano))
	t.Logf("the held one followed %v after the deletion", time.Since(began))
}
