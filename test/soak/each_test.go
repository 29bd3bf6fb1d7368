package soak

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func begin(t *testing.T) *trial {
	t.Helper()
	w := newTrial(t, t.TempDir())
	w.daemon.start()
	w.awaitUpToDate("at the start")
	return w
}

func (w *trial) end() {
	w.t.Helper()
	w.repair()
	w.awaitUpToDate("in the end")
	w.daemon.stop()
	w.compare(w.t.TempDir())
	w.history()
	w.daemon.checkRaces()
}

func (w *trial) waitForPage(page string, words ...string) {
	w.t.Helper()
	var said string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		said = w.daemon.page(page)
		missing := len(words)
		for _, word := range words {
			if strings.Contains(said, word) {
				missing--
			}
		}
		if missing == 0 {
			return
		}
	}
	w.t.Fatalf("%s does not say %q, but %.3000s\n%s", page, words, said, w.daemon.tail())
}

func (w *trial) commits() int {
	w.t.Helper()
	n, err := strconv.Atoi(gittest.Commits(w.t, w.repository, "main"))
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *trial) head() string { return gittest.Git(w.t, w.repository, "rev-parse", "main") }

func TestKill9AtAnyMoment(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	for range 10 {
		for range w.rng.IntN(5) {
			w.putWork()
			w.removeWork()
		}
		w.sleepUpTo(300 * time.Millisecond)
		w.daemon.kill()
		w.daemon.start()
	}
	w.end()
}

func TestDiskOfStoreIsFull(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	before := w.head()
	w.disk.full.Store(true)
	w.putWork()
	w.waitForPage("/api/v1/report", `"KS060"`, "GitStateStore default", "not written")
	w.waitForPage("/readyz", "GitStateStore default")
	if w.head() != before {
		t.Error("something was written")
	}
	w.disk.full.Store(false)
	w.end()
}

func TestDiskOfDaemonIsFull(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	w.daemon.stop()
	w.daemon.startOnFullDisk()
	for range 10 {
		w.putWork()
	}
	w.removeWork()
	w.end()
}

func TestSourceDirectoryIsMissingOrUnreadable(t *testing.T) {
	testkit.Slow(t)
	for name, meanwhile := range map[string]func(*trial){
		"gone": func(*trial) {},
		"unreadable": func(w *trial) { // a link to itself, because file permissions do not apply to root
			if err := os.Symlink(w.dir, w.dir); err != nil {
				w.t.Fatal(err)
			}
			w.t.Cleanup(func() { _ = os.Remove(w.dir) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			before := w.head()
			w.withoutInput(func() {
				meanwhile(w)
				w.waitForPage("/readyz", "not ready: ", w.dir)
				time.Sleep(3 * time.Second) // longer than the removal delay and the interval between rounds
				if w.head() != before {
					t.Error("something was written, or removed")
				}
				_ = os.Remove(w.dir)
			})
			w.putWork()
			w.waitForPage("/readyz", "ready")
			w.end()
		})
	}
}

func TestTenThousandBrokenFiles(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	before := w.commits()
	w.breakFiles(10_000)
	w.waitForPage("/metrics", `kratix_schedule_findings{name="UnreadableInput",rule="KS020",severity="error"} 10000`)
	w.waitForPage("/api/v1/report", "broken-0000.yaml", "broken-9999.yaml")
	w.putWork() // the Work must be written nevertheless
	for deadline := time.Now().Add(patience); w.commits() == before; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is written beside the broken files\n%s", w.daemon.tail())
		}
	}
	w.end()
	if logged := w.logged(); logged > 1<<20 {
		t.Errorf("%d KiB of log", logged>>10)
	}
}

func TestWorkThatChangesAllTheTime(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	const changes = 25
	before := w.commits()
	name, _ := w.randomWork()
	for n := 1; n <= changes; n++ {
		w.works[name]++
		w.work(name, name, w.works[name])
		for deadline := time.Now().Add(patience); w.commits() < before+n; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("change %d is not written\n%s", n, w.daemon.tail())
			}
		}
	}
	w.waitForPage("/api/v1/report", `"KS048"`, "Work default/"+name, "has changed 20 times in")
	w.end()
	if got := w.commits(); got != before+changes {
		t.Errorf("%d changes made %d commits", changes, got-before)
	}
	log, _ := os.ReadFile(w.daemon.log.Name())
	if told := strings.Count(string(log), `"rule":"KS048"`); told != 1 {
		t.Errorf("it is told %d times", told)
	}
}

func TestLabelsThatChangeRapidly(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	rounds := func() int {
		return w.daemon.metric(`kratix_schedule_rounds_total{result="clean"}`) + w.daemon.metric(`kratix_schedule_rounds_total{result="findings"}`)
	}
	before, commits := rounds(), w.commits()
	w.flip()
	if did := rounds() - before; did > flips+10 {
		t.Errorf("%d rounds for %d flips", did, flips)
	}
	w.end()
	if did := w.commits() - commits; did > flips+10 {
		t.Errorf("%d commits for %d flips", did, flips)
	}
}

func TestAnotherDaemonOnTheSameStore(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	other := &daemon{t: t, binary: w.daemon.binary, args: w.daemon.args, log: w.daemon.log}
	other.start()
	other.awaitAlive()
	for range 30 {
		w.putWork()
		w.removeWork()
		w.sleepUpTo(100 * time.Millisecond)
	}
	w.awaitUpToDate("with two daemons")
	other.stop()
	w.end()
}

func TestDamagedRecordIsRepaired(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	w.damageRecord() // waits until the record is repaired
	w.end()
}

func TestNetworkFaultsToTheStore(t *testing.T) {
	testkit.Slow(t)
	t.Parallel()
	w := begin(t)
	for i, fault := range []gittest.Fault{{Reset: true}, {After: 100, Cut: true}, {Garbage: "HTTP/1.1 200 OK\r\n\r\n<html>"}, {Hang: true}} {
		w.proxy.Set(fault)
		w.putWork()
		w.waitForPage("/api/v1/report", `"KS060"`)
		w.proxy.Set(gittest.Fault{})
		w.awaitUpToDate(fmt.Sprint("after fault ", i))
	}
	w.end()
}

func TestOneRequestAffectsNoOther(t *testing.T) {
	testkit.Slow(t)
	for name, faults := range map[string][]func(*trial){
		"of tenants":   {(*trial).refused, (*trial).forge, (*trial).tenantForges, (*trial).truncate},
		"of operators": {(*trial).otherID, (*trial).fight, func(w *trial) { w.removeManyWorks(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			for _, do := range faults {
				do(w)
			}
			w.end()
		})
	}
}
