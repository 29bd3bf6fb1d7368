package kube

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

// limits are how long the API server may take. One that accepts a connection and says
// nothing would otherwise be waited for without end.
type limits struct {
	// list bounds a list as a whole: an API server gives up after a minute itself.
	list time.Duration
	// headers bounds how long a watch takes to begin.
	headers time.Duration
	// beyond is how much longer a watch may last than it was asked for.
	beyond time.Duration
}

func usualLimits() limits {
	return limits{list: 90 * time.Second, headers: 30 * time.Second, beyond: 30 * time.Second}
}

// listed makes a list call.
func (l limits) listed(ctx context.Context, request *rest.Request) (runtime.Object, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.list, silence(l.list))
	defer cancel()
	found, err := request.Do(ctx).Get()
	return found, because(ctx, err)
}

// watched begins a watch, which ends some time after the API server should have ended
// it.
func (l limits) watched(ctx context.Context, request *rest.Request, options metav1.ListOptions) (watch.Interface, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	late := time.AfterFunc(l.headers, func() { cancel(silence(l.headers)) })
	stream, err := request.Watch(ctx)
	if err = because(ctx, err); err != nil || !late.Stop() {
		cancel(nil)
		if err == nil { // it began too late
			stream.Stop()
			err = silence(l.headers)
		}
		return nil, err
	}
	lasts := l.beyond
	if options.TimeoutSeconds != nil {
		lasts += time.Duration(*options.TimeoutSeconds) * time.Second
	}
	return &boundedWatch{Interface: stream, end: time.AfterFunc(lasts, func() { cancel(silence(lasts)) }), cancel: cancel}, nil
}

// boundedWatch is a watch with a time at which it ends in any case.
type boundedWatch struct {
	watch.Interface
	end    *time.Timer
	cancel context.CancelCauseFunc
}

// Stop ends the watch.
func (w *boundedWatch) Stop() {
	w.end.Stop()
	w.cancel(nil)
	w.Interface.Stop()
}

// silence is the error of an API server that has not answered in time.
func silence(within time.Duration) error { return fmt.Errorf("no answer within %s", within) }

// because returns the cause for which a call was given up, if it was.
func because(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return err
}
