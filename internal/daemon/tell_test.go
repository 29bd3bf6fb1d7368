package daemon

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type listener struct {
	mu       sync.Mutex
	refusing bool
	retry    time.Duration
	heard    int
}

func (l *listener) tell(context.Context, report.Report) StatusResult {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard++
	if !l.refusing {
		return StatusResult{}
	}
	l.retry = min(max(2*l.retry, time.Second), 5*time.Minute)
	return StatusResult{Retry: l.retry, Refused: []finding.Finding{{
		Rule: finding.WriteRefused(), Place: finding.Place{Object: "WorkPlacement default/a"}, Message: "create is refused: denied by a webhook",
	}}}
}

func (l *listener) setRefusing(refusing bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refusing = refusing
}

func (b *bubble) rounds() int {
	count := 0
	families, _ := b.daemon.registry.Gather()
	for _, family := range families {
		if family.GetName() == "kratix_schedule_rounds_total" {
			for _, metric := range family.GetMetric() {
				count += int(metric.GetCounter().GetValue())
			}
		}
	}
	return count
}

func TestRefusedWriteTriggersNoRounds(t *testing.T) {
	l := &listener{refusing: true}
	inABubbleWith(t, func(b *bubble) { b.daemon.WriteStatus, b.daemon.Interval = l.tell, time.Hour }, func(t *testing.T, b *bubble) {
		b.putAndNotify("a", "first")
		time.Sleep(time.Minute)
		before := b.rounds()
		time.Sleep(10 * time.Minute)
		if more := b.rounds() - before; more > 0 {
			t.Errorf("%d rounds in ten minutes in which nothing changes", more)
		}
		synctest.Wait()
		if l.heard < 8 || l.heard > 20 {
			t.Errorf("it was told %d times", l.heard)
		}
		if said := b.page("/api/v1/report"); !strings.Contains(said, `"KS070"`) || !strings.Contains(said, "denied by a webhook") {
			t.Errorf("the report says %s", said)
		}
		if lines := b.logs.FilterField(zap.String("rule", "KS070")).Len(); lines != 1 {
			t.Errorf("%d lines of log", lines)
		}
		l.setRefusing(false)
		time.Sleep(10 * time.Minute)
		if said := b.page("/api/v1/report"); strings.Contains(said, `"KS070"`) {
			t.Error("it is still reported when it is over")
		}
		if lines := b.logs.FilterMessage("resolved").Len(); lines != 1 {
			t.Errorf("%d lines of log say that it is resolved", lines)
		}
	})
}

func TestClusterThatDoesNotAnswerEndsWithTheShutdownTimeout(t *testing.T) {
	_, forget := refreshSignals()
	forget()
	synctest.Test(t, func(t *testing.T) {
		b := newBubble(t)
		b.daemon.Shutdown = 30 * time.Second
		b.daemon.WriteStatus = func(ctx context.Context, _ report.Report) StatusResult {
			<-ctx.Done()
			return StatusResult{Err: ctx.Err()}
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- b.daemon.rounds(ctx, b.changes) }()
		time.Sleep(time.Minute)
		stop()
		told := time.Now()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if took := time.Since(told); took > b.daemon.Shutdown {
			t.Errorf("it ends after %s", took)
		}
	})
}
