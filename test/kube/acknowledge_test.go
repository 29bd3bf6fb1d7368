package kube

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func TestReadyIsSetOnceTheStoreHasAcknowledged(t *testing.T) {
	log, flags := newAudit(t)
	p := newPlatform(t, "base", flags...)
	p.destination("worker-1", "default", "none", nil)
	at := address(t)
	p.schedule("--listen", at)
	p.object(work("a", nil, "one"))
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.writesUntilSettled(at, log)

	hold := filepath.Join(t.TempDir(), "hold")
	must(t, os.WriteFile(hold, nil, 0o600))
	gittest.Hook(t, p.repository, "pre-receive", "while [ -e "+hold+" ]; do sleep 0.1; done\n")
	p.object(work("b", nil, "two"))
	for _, label := range []string{"unrelated=1", "unrelated=2", "unrelated=3"} {
		rounds := p.counted(at, "kratix_schedule_rounds_total")
		p.kubectl("label", "--overwrite", "destination/worker-1", label)
		p.eventually("a round", func() string {
			if p.counted(at, "kratix_schedule_rounds_total") <= rounds {
				return "none was done"
			}
			return ""
		})
	}
	if got := log.written(); len(got) > 0 {
		t.Errorf("written while the store has not acknowledged: %v", got)
	}
	must(t, os.Remove(hold))
	p.waitForCondition("work/b", "Ready", "True AllWorkplacementsScheduled")
	want := gittest.Git(t, p.repository, "rev-parse", "main")
	p.waitForField("workplacement/b.worker-1-5058f", "{.status.versionID}", want)
	if got := p.writesUntilSettled(at, log); sum(got) != 3 {
		t.Errorf("written %v, want three writes", got)
	}
}
