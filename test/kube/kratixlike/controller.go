package kratixlike

import (
	"context"
	"log/slog"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/util/workqueue"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 15 * time.Second
)

type controller struct {
	kind      string
	workers   int
	queue     workqueue.TypedRateLimitingInterface[kratix.Key]
	reconcile func(context.Context, kratix.Key) error
}

func newController(kind string, workers int, reconcile func(context.Context, kratix.Key) error) *controller {
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[kratix.Key](firstRetry, lastRetry)
	return &controller{kind: kind, workers: workers, queue: workqueue.NewTypedRateLimitingQueue(limiter), reconcile: reconcile}
}

func (c *controller) run(ctx context.Context, log *slog.Logger) {
	var group sync.WaitGroup
	for range c.workers {
		group.Go(func() {
			for c.next(ctx, log) {
			}
		})
	}
	<-ctx.Done()
	c.queue.ShutDown()
	group.Wait()
}

func (c *controller) next(ctx context.Context, log *slog.Logger) bool {
	key, down := c.queue.Get()
	if down {
		return false
	}
	defer c.queue.Done(key)
	err := c.reconcile(ctx, key)
	switch {
	case err == nil:
		c.queue.Forget(key)
	case ctx.Err() != nil:
	case apierrors.IsConflict(err):
		c.queue.AddRateLimited(key)
	default:
		log.Error("reconcile", "kind", c.kind, "key", key, "error", err)
		c.queue.AddRateLimited(key)
	}
	return true
}
