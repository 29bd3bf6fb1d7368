package kube_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func TestStoresAreAnnouncedBeforeWorksAreListed(t *testing.T) {
	for _, resource := range []string{"works", "workplacements"} {
		a := newPlatform(t)
		a.set(func(a *api) { a.silent["watch "+resource], a.silent["list "+resource] = true, true })
		s := follow(t, a)
		announced := make(chan []string, 2)
		s.OnStores(func(_ context.Context, stores source.Snapshot) { announced <- contentOf(stores) })
		ctx, stop := context.WithCancel(t.Context())
		failed := make(chan error, 1)
		go func() {
			_, err := s.Snapshot(ctx)
			failed <- err
		}()
		select {
		case got := <-announced:
			if want := []string{"Destination worker-1", "GitStateStore default", "Secret default/git"}; !slices.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", resource, got, want)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: nothing is announced", resource)
		}
		s.RequestRound() // wakes Snapshot
		stop()
		if err := <-failed; err == nil || len(announced) > 0 {
			t.Errorf("%s: %v, announced again %d times", resource, err, len(announced))
		}
	}
}

func TestStoresAreNotAnnouncedWithoutTheirList(t *testing.T) {
	a := newPlatform(t)
	a.set(func(a *api) {
		a.silent["watch works"], a.silent["list works"] = true, true
		a.silent["watch gitstatestores"], a.silent["list gitstatestores"] = true, true
	})
	checkNothingAnnounced(t, follow(t, a))
}

func TestStoresAreNotAnnouncedWithTheWholeInput(t *testing.T) {
	s := follow(t, newPlatform(t))
	waitForContent(t, s, whole...)
	checkNothingAnnounced(t, s)
}

func checkNothingAnnounced(t *testing.T, s *kube.Source) {
	t.Helper()
	s.OnStores(func(_ context.Context, stores source.Snapshot) { t.Errorf("announced: %v", contentOf(stores)) })
	ctx, stop := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer stop()
	_, _ = s.Snapshot(ctx)
}
