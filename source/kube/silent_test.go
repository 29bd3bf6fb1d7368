package kube_test

import (
	"context"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func TestSnapshotDoesNotWaitForSilentAPI(t *testing.T) {
	a := newPlatform(t)
	s := follow(t, a)
	waitForContent(t, s, whole...)
	a.set(func(a *api) {
		for resource := range kinds {
			a.silent["watch "+resource], a.silent["list "+resource], a.silent["get "+resource] = true, true, true
		}
	})
	a.endWatches()
	began := time.Now()
	waitForContent(t, s, whole...)
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAwaitEndsWithFollow(t *testing.T) {
	a := newPlatform(t)
	a.set(func(a *api) { a.silent["watch works"], a.silent["list works"] = true, true })
	s, err := kube.New(a.config(), kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	s.Follow(ctx)
	done := make(chan error, 1)
	go func() {
		_, err := s.Snapshot(context.WithoutCancel(ctx))
		s.Await(context.WithoutCancel(ctx), []kube.Written{{Kind: kratix.WorkKind, Key: kratix.Key{Namespace: "default", Name: "a"}, Version: "99"}})
		done <- err
	}()
	time.Sleep(50 * time.Millisecond)
	stop()
	select {
	case err := <-done:
		if err == nil {
			t.Error("a snapshot without Works has no error")
		}
	case <-time.After(4 * time.Second): // less than any other timeout
		t.Fatal("it waits for an API that it does not follow any more")
	}
}
