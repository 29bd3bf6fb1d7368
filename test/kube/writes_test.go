package kube

import (
	"fmt"
	"maps"
	"syscall"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestWritesOfANewPlacement(t *testing.T) {
	log, flags := newAudit(t)
	p := newPlatform(t, "base", flags...)
	for _, name := range []string{"one", "two", "three"} {
		p.destination(name, "default", "none", map[string]string{"on": name, "all": "yes"})
	}
	at := address(t)
	p.schedule("--listen", at)
	p.object(work("first", map[string]string{"on": "one"}, "first"))
	p.waitForCondition("work/first", "Ready", "True AllWorkplacementsScheduled")
	p.writesUntilSettled(at, log)

	several := work("several", map[string]string{"on": "one"}, "a")
	group := work("", map[string]string{"on": "two"}, "b").Spec.WorkloadGroups[0]
	group.Directory, group.ID = "b", kratix.GroupID("b")
	several.Spec.WorkloadGroups = append(several.Spec.WorkloadGroups, group)
	dependency := work("dependency", map[string]string{"all": "yes"}, "c")
	dependency.Spec.ResourceName = ""
	renewed := work("renewed", map[string]string{"on": "one"}, "d")
	for _, test := range []struct {
		name       string
		work       *kratix.Work
		placements int
		want       map[string]int
	}{
		{"a request's", renewed, 1, map[string]int{"create workplacements": 1, "patch workplacements/status": 1, "patch works/status": 1}},
		{"a request of two groups", several, 2, map[string]int{"create workplacements": 2, "patch workplacements/status": 2, "patch works/status": 1}},
		{"a dependency on three Destinations", dependency, 3, map[string]int{"create workplacements": 3, "patch workplacements/status": 3, "patch works/status": 1}},
	} {
		p.object(test.work)
		p.waitForCondition("work/"+test.work.Name, "Ready", "True AllWorkplacementsScheduled")
		if got := p.writesUntilSettled(at, log); !maps.Equal(got, test.want) || sum(got) > 3*test.placements {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	renewed.Spec.WorkloadGroups[0].Workloads[0].Content = kratix.Encode([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: e}\n"))
	p.object(renewed)
	p.waitForCondition("work/renewed", "Ready", "True AllWorkplacementsScheduled")
	p.waitForField("work/renewed", `{.status.conditions[?(@.type=="Ready")].observedGeneration}`, "2")
	want := map[string]int{"patch workplacements": 1, "patch workplacements/status": 1, "patch works/status": 1}
	if got := p.writesUntilSettled(at, log); !maps.Equal(got, want) {
		t.Errorf("another generation: %v, want %v", got, want)
	}
}

func TestChangesWithoutWrites(t *testing.T) {
	log, flags := newAudit(t)
	p := newPlatform(t, "base", flags...)
	p.destination("worker-1", "default", "none", map[string]string{"on": "one"})
	at := address(t)
	daemon := p.schedule("--listen", at)
	for i := range 10 {
		p.object(work(fmt.Sprint("w", i), map[string]string{"on": "one"}, fmt.Sprint("c", i)))
	}
	for i := range 10 {
		p.waitForCondition(fmt.Sprint("work/w", i), "Ready", "True AllWorkplacementsScheduled")
	}
	p.writesUntilSettled(at, log)
	for name, happen := range map[string]func(){
		"a round in which nothing changed": func() { must(t, daemon.Cmd.Process.Signal(syscall.SIGHUP)) },
		"a Destination's label that nobody asks for": func() {
			p.kubectl("label", "destination/worker-1", "unrelated=yes")
		},
		"a Destination's annotation": func() { p.kubectl("annotate", "destination/worker-1", "unrelated=yes") },
		"a Destination's condition, by another": func() {
			p.kubectl("patch", "destination/worker-1", "--subresource=status", "--type=json", "--patch", `[{"op":"add","path":"/status/conditions/-",`+
				`"value":{"type":"Other","status":"False","reason":"R","message":"m","lastTransitionTime":"2026-01-31T12:00:00Z"}}]`)
			must(t, daemon.Cmd.Process.Signal(syscall.SIGHUP))
		},
	} {
		rounds := p.counted(at, "kratix_schedule_rounds_total")
		happen()
		p.eventually("a round", func() string {
			if p.counted(at, "kratix_schedule_rounds_total") <= rounds {
				return "none was done"
			}
			return ""
		})
		if got := p.writesUntilSettled(at, log); len(got) > 0 {
			t.Errorf("%s: %v", name, got)
		}
	}
	// A new Destination without placements causes only one write, of its status.
	p.destination("worker-2", "default", "none", map[string]string{"on": "two"})
	p.waitForCondition("destination/worker-2", "Ready", "True TestDocumentsWritten")
	if got := p.writesUntilSettled(at, log); !maps.Equal(got, map[string]int{"patch destinations/status": 1}) {
		t.Errorf("a new Destination: %v", got)
	}
}

func (p *platform) writesUntilSettled(at string, log *audit) map[string]int {
	p.t.Helper()
	all := map[string]int{}
	quiet := 0
	p.eventually("what is written", func() string {
		before := p.counted(at, "kratix_schedule_rounds_total")
		got := log.written()
		for what, count := range got {
			all[what] += count
		}
		if len(got) > 0 || before != p.counted(at, "kratix_schedule_rounds_total") {
			quiet = 0
		}
		const enough = 10
		if quiet++; quiet < enough {
			return fmt.Sprint(all)
		}
		return ""
	})
	return all
}
