package daemon

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// limited makes the store of a bubble a store on a git server, with six commits a minute.
func limited(b *bubble) {
	b.snapshot.GitStateStores = []*kratix.GitStateStore{testkit.GitStore("default", "https://git.example.com/state.git")}
	b.daemon.throttle.PerMinute = 6
}

type arrivals struct {
	*bubble
	put, written map[string]time.Time
}

func (a *arrivals) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return a, nil
}

func (a *arrivals) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	for _, placement := range changes.Placements {
		if _, before := a.written[placement.Work]; !before {
			a.written[placement.Work] = time.Now()
		}
	}
	return a.bubble.Apply(ctx, changes)
}

func TestBurstOfWorksMakesFewCommits(t *testing.T) {
	var a *arrivals
	inABubbleWith(t, func(b *bubble) {
		a = &arrivals{bubble: b, put: map[string]time.Time{}, written: map[string]time.Time{}}
		b.daemon.Reconciler.Stores = a
		b.daemon.assemble(nil)
		limited(b)
	}, func(t *testing.T, b *bubble) {
		time.Sleep(time.Minute)
		b.counts()
		const works, together = 1000, 4
		for i := range works {
			name := fmt.Sprint("work-", i)
			a.put["default/"+name] = time.Now()
			if b.add(name, ""); i%together == together-1 {
				b.putAndNotify(name, "")
				time.Sleep(together * time.Minute / works)
			}
		}
		time.Sleep(20 * time.Second)
		asked, written := b.counts()
		if written > 8 || asked-written > 2*8 {
			t.Errorf("%d commits, %d reads", written, asked-written)
		}
		var longest time.Duration
		for work, at := range a.put {
			longest = max(longest, a.written[work].Sub(at))
		}
		if longest > 12*time.Second || len(a.written) != works {
			t.Errorf("%d Works are written, one after %s", len(a.written), longest)
		}
		said := b.page("/metrics")
		for _, want := range []string{
			fmt.Sprintf(`kratix_schedule_commits_total{store="GitStateStore default"} %d`, written+1),
			fmt.Sprintf(`kratix_schedule_commit_wait_seconds_count{store="GitStateStore default"} %d`, written+1),
			`kratix_schedule_next_commit_timestamp_seconds{store="GitStateStore default"} 0`,
			`kratix_schedule_waiting_placements{store="GitStateStore default"} 0`,
		} {
			if !strings.Contains(said, want) {
				t.Errorf("the metrics lack %s:\n%s", want, said)
			}
		}
	})
}

func TestWaitingChangeIsReportedAndDoesNotDelayTheInput(t *testing.T) {
	inABubbleWith(t, func(b *bubble) {
		limited(b)
		b.add("a", "")
	}, func(t *testing.T, b *bubble) {
		time.Sleep(time.Second)
		for _, name := range []string{"b", "c"} {
			b.putAndNotify(name, "")
			time.Sleep(time.Second)
			if said := b.page("/api/v1/report"); !strings.Contains(said, `"work":"default/`+name+`"`) || !strings.Contains(said, "waits for the next commit at 00:00:10 UTC") {
				t.Errorf("the report says %s", said)
			}
		}
		said := b.page("/metrics")
		for _, want := range []string{`kratix_schedule_waiting_placements{store="GitStateStore default"} 2`, `kratix_schedule_next_commit_timestamp_seconds{store="GitStateStore default"} 9.4668481e+08`} {
			if !strings.Contains(said, want) {
				t.Errorf("the metrics lack %s:\n%s", want, said)
			}
		}
		if said := b.page("/readyz"); !strings.HasPrefix(said, "ready") && !strings.HasPrefix(said, "ok") {
			t.Errorf("/readyz says %s", said)
		}
		time.Sleep(10 * time.Second)
		if said := b.page("/api/v1/report"); strings.Contains(said, "waits") {
			t.Errorf("the report says %s", said)
		}
	})
}

func TestWaitingChangeIsWrittenWhenTheDaemonIsStopped(t *testing.T) {
	for name, stopped := range map[string]bool{"stopped": true, "the Lease is lost": false} {
		t.Run(name, func(t *testing.T) {
			_, forget := refreshSignals()
			forget()
			synctest.Test(t, func(t *testing.T) {
				b := newBubble(t)
				process, stop := context.WithCancel(t.Context())
				defer stop()
				b.daemon.Reconciler.Stores = b
				b.daemon.assemble(process.Done())
				limited(b)
				ctx, lose := context.WithCancel(process)
				defer lose()
				b.daemon.WriteStatus = func(context.Context, report.Report) StatusResult { return StatusResult{} }
				b.add("a", "")
				done := make(chan error)
				go func() { done <- b.daemon.rounds(ctx, b.changes) }()
				time.Sleep(time.Second)
				b.putAndNotify("b", "")
				time.Sleep(time.Second)
				b.counts()
				if stopped {
					stop()
				} else {
					lose()
				}
				if err := <-done; err != nil {
					t.Error(err)
				}
				if _, written := b.counts(); (written == 1) != stopped {
					t.Errorf("written %d times", written)
				}
				state, err := b.stored.Read(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				found := false
				for path := range state.Files.All() {
					found = found || strings.Contains(path.String(), "/b/")
				}
				if found != stopped {
					t.Errorf("the waiting Work is written: %v", found)
				}
			})
		})
	}
}
