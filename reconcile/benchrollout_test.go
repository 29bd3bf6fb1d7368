package reconcile

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

// BenchmarkRollouts measures rounds without changes, with 50 dependencies on each of 1,000
// Destinations: without Rollouts, with a complete one for each dependency, and with one that waits.
func BenchmarkRollouts(b *testing.B) {
	const destinations, dependencies = 1000, 50
	for _, c := range []struct {
		name             string
		rollouts, change bool
	}{{"none", false, false}, {"complete", true, false}, {"waiting", true, true}} {
		b.Run(c.name, func(b *testing.B) {
			w := newEnv(b)
			now := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
			w.reconciler.Now = func() time.Time { return now }
			for i := 1; i < destinations; i++ {
				w.addDestination(fmt.Sprintf("worker-%04d", i), fmt.Sprintf("worker-%04d", i))
			}
			for i, d := range w.snapshot.Destinations {
				d.Labels = map[string]string{"wave": fmt.Sprintf("w%d", i%5)}
			}
			w.depend(dependencies, "v1")
			w.round()
			for i := range dependencies {
				if c.rollouts {
					w.snapshot.Rollouts = append(w.snapshot.Rollouts, fourWaves(i))
				}
			}
			w.round()
			if c.change {
				w.snapshot.Works = nil
				w.depend(dependencies, "v2")
				w.round()
			}
			w.round()
			for b.Loop() {
				w.round()
			}
		})
	}
}

func (w *testEnv) depend(dependencies int, content string) {
	for i := range dependencies {
		name := fmt.Sprintf("p%02d", i)
		work := testkit.Request(name, testkit.WithFiles(map[string]string{"file.yaml": testkit.ConfigMaps(name + "-" + content)}))
		work.Spec.ResourceName, work.Spec.PromiseName = "", name
		w.snapshot.Works = append(w.snapshot.Works, work)
	}
}

func fourWaves(i int) *kratix.Rollout {
	r := &kratix.Rollout{}
	r.Name = fmt.Sprintf("r%02d", i)
	r.Spec.Works.PromiseName = fmt.Sprintf("p%02d", i)
	for wave := range 4 {
		r.Spec.Waves = append(r.Spec.Waves, kratix.RolloutWave{
			Name: fmt.Sprintf("w%d", wave), Destinations: &metav1.LabelSelector{MatchLabels: map[string]string{"wave": fmt.Sprintf("w%d", wave)}},
			Gate: "healthy", MaxConcurrent: "10%", Soak: "1h", Deadline: "1h",
		})
	}
	return r
}
