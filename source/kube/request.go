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

// limits are the timeouts of API requests.
type limits struct {
	list time.Duration
	// headers is the time within which a watch must start.
	headers time.Duration
	// beyond is the time by which a watch may exceed its requested timeout.
	beyond time.Duration
}

func usualLimits() limits {
	return limits{list: 90 * time.Second, headers: 30 * time.Second, beyond: 30 * time.Second}
}

func (l limits) listed(ctx context.Context, request *rest.Request) (runtime.Object, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, l.list, silence(l.list))
	defer cancel()
	found, err := request.Do(ctx).Get()
	return found, causeOf(ctx, err)
}

// watched starts a watch, and ends it soon after its requested timeout.
func (l limits) watched(ctx context.Context, request *rest.Request, options metav1.ListOptions) (watch.Interface, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	late := time.AfterFunc(l.headers, func() { cancel(silence(l.headers)) })
	stream, err := request.Watch(ctx)
	if err = causeOf(ctx, err); err != nil || !late.Stop() {
		cancel(nil)
		if err == nil { // the watch has started too late
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

type boundedWatch struct {
	watch.Interface
	end    *time.Timer
	cancel context.CancelCauseFunc
}

func (w *boundedWatch) Stop() {
	w.end.Stop()
	w.cancel(nil)
	w.Interface.Stop()
}

func silence(within time.Duration) error { return fmt.Errorf("no answer within %s", within) }

// causeOf returns the cause of ctx if a request failed because ctx has ended, and otherwise err.
func causeOf(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return err
}
