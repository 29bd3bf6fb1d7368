package kube

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

// TestManyWorksAreScheduledAtOnce: 500 Works that come at once are all placed, each
// with three writes at most, and when all is written nobody goes on writing.
func TestManyWorksAreScheduledAtOnce(t *testing.T) {
	const many = 500
	log, flags := newAudit(t)
	p := newBesideKratix(t, kratixlike.Options{Writers: 8}, flags...)
	p.object(map[string]any{ // which the stand-in writes to some times as fast as to a server
		"apiVersion": kratix.APIVersion, "kind": kratix.GitStateStoreKind, "metadata": map[string]any{"name": "local"},
		"spec": map[string]any{"url": "file://" + p.repository, "branch": "main"},
	})
	var names []string
	for i := range 10 {
		names = append(names, fmt.Sprint("worker-", i))
		p.destination(names[i], "local", "none", nil)
	}
	p.scheduleOnly()
	var all strings.Builder
	for i := range many {
		text, err := yaml.Marshal(work(fmt.Sprint("w", i), nil, fmt.Sprint("c", i)))
		must(t, err)
		all.WriteString("---\n" + string(text))
	}
	log.written()
	p.apply(all.String())
	scheduled := func() int {
		return strings.Count(p.kubectl("get", "works", "-o", `jsonpath={range .items[*]}{.status.conditions[?(@.type=="Scheduled")].status}{"\n"}{end}`), "True")
	}
	began := time.Now()
	for late := began.Add(2 * time.Minute); scheduled() < many; time.Sleep(time.Second) {
		if time.Now().After(late) {
			t.Fatalf("%d of %d are scheduled after %v", scheduled(), many, time.Since(began))
		}
	}
	t.Logf("%d Works are scheduled after %v", many, time.Since(began).Round(time.Second))
	if got := sum(log.written()); got > 3*many {
		t.Errorf("%d writes of ours, want 3 a Work at most", got)
	}
	for late := time.Now().Add(8 * time.Minute); len(p.files()) < many; time.Sleep(time.Second) {
		if time.Now().After(late) {
			t.Fatalf("Kratix's stand-in has written %d of %d", len(p.files()), many)
		}
	}
	t.Logf("and written after %v", time.Since(began).Round(time.Second))
	p.calms(log)
	p.fluxNeverRefuses(names...)
}

// calms waits until nobody writes to the API for ten seconds.
func (b *besideKratix) calms(log *audit) {
	b.t.Helper()
	theirs := log.of(kratixlike.User)
	theirs.written()
	log.written()
	for range 6 {
		time.Sleep(10 * time.Second)
		ours, others := log.written(), theirs.written()
		if sum(ours)+sum(others) == 0 {
			return
		}
		b.t.Logf("within 10 s there are the writes %v of ours and %v of Kratix's stand-in", ours, others)
	}
	b.t.Error("nothing happens, and somebody goes on writing")
}
