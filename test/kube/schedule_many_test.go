package kube

import (
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

// allWritten makes TestManyWorksAreScheduledAtOnce wait until the stand-in for Kratix has written
// all Works.
var allWritten = flag.Bool("all-written", false, "wait until all of the many Works are written")

func manyWorks(t *testing.T, many int) string {
	t.Helper()
	var all strings.Builder
	for i := range many {
		text, err := yaml.Marshal(work(fmt.Sprint("w", i), nil, fmt.Sprint("c", i)))
		must(t, err)
		all.WriteString("---\n" + string(text))
	}
	return all.String()
}

func TestManyWorksAreScheduledAtOnce(t *testing.T) {
	const many = 500
	log, flags := newAudit(t)
	p := newBesideKratix(t, kratixlike.Options{Writers: 8}, flags...)
	p.object(map[string]any{ // the stand-in writes several times faster to a directory than to a server
		"apiVersion": kratix.APIVersion, "kind": kratix.GitStateStoreKind, "metadata": map[string]any{"name": "local"},
		"spec": map[string]any{"url": "file://" + p.repository, "branch": "main"},
	})
	var names []string
	for i := range 10 {
		names = append(names, fmt.Sprint("worker-", i))
		p.destination(names[i], "local", "none", nil)
	}
	p.scheduleOnly()
	log.written()
	p.apply(manyWorks(t, many))
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
	got := log.written()
	t.Logf("with the writes %v", got)
	if sum(got) > 3*many {
		t.Errorf("%d writes of ours, want 3 a Work at most", sum(got))
	}
	time.Sleep(10 * time.Second) // the last condition may still be written
	log.written()
	time.Sleep(10 * time.Second)
	if got := log.written(); sum(got) > 0 {
		t.Errorf("all are scheduled, and there are the writes %v of ours", got)
	}
	if *allWritten {
		for late := time.Now().Add(20 * time.Minute); len(p.files()) < many; time.Sleep(time.Second) {
			if time.Now().After(late) {
				t.Fatalf("Kratix's stand-in has written %d of %d", len(p.files()), many)
			}
		}
		t.Logf("and written after %v", time.Since(began).Round(time.Second))
		p.waitUntilCalm(log)
	}
	p.kratix.stop()
	p.fluxNeverRefuses(names...)
}

func (b *besideKratix) waitUntilCalm(log *audit) {
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

func TestManyWorksArePromotedAtOnce(t *testing.T) {
	const many = 500
	log, flags := newAudit(t)
	p := newPromotion(t, kratixlike.Options{}, flags...)
	p.object(map[string]any{ // the stand-in writes several times faster to a directory than to a server
		"apiVersion": kratix.APIVersion, "kind": kratix.GitStateStoreKind, "metadata": map[string]any{"name": "staging"},
		"spec": map[string]any{"url": "file://" + p.repository, "branch": "staging"},
	})
	var names []string
	for i := range 10 {
		names = append(names, fmt.Sprint("worker-", i))
		p.addDestination(names[i], "none", nil)
	}
	p.promote()
	log.written()
	p.apply(manyWorks(t, many))
	promoted := func() int {
		return strings.Count(p.kubectl("get", "workplacements", "-o", `jsonpath={range .items[*]}{.status.conditions[?(@.type=="Promoted")].status}{"\n"}{end}`), "True")
	}
	began := time.Now()
	for late := began.Add(4 * time.Minute); promoted() < many; time.Sleep(time.Second) {
		if time.Now().After(late) {
			t.Fatalf("%d of %d are promoted after %v", promoted(), many, time.Since(began))
		}
	}
	written := log.written()
	t.Logf("%d Works are promoted after %v, with the writes %v", many, time.Since(began).Round(time.Second), written)
	if got := sum(written); got > 3*many {
		t.Errorf("%d writes of ours, want 3 a Work at most", got)
	}
	time.Sleep(2 * time.Second)
	log.written()
	time.Sleep(10 * time.Second)
	if got := log.written(); sum(got) > 0 {
		t.Errorf("all are promoted, and there are the writes %v of ours", got)
	}
	p.kratix.stop()
	p.fluxNeverRefuses(names...)
}
