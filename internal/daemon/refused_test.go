package daemon

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type refusingStore struct {
	statestore.Store
	takes    time.Duration
	bubble   *bubble
	pushes   int
	takesAll bool
}

func (s *refusingStore) Apply(ctx context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	if changes.Empty() {
		return changes.Base, nil
	}
	time.Sleep(s.takes)
	s.bubble.mu.Lock()
	s.pushes++
	all := s.takesAll
	s.bubble.mu.Unlock()
	for _, file := range changes.Write {
		if bytes.Contains(file.Content, []byte("AKIA")) && !all {
			return "", &statestore.Error{Op: "write", Store: "GitStateStore default", Err: statestore.ErrContentRefused, Remote: file.Path.String() + " holds a key"}
		}
	}
	return s.Store.Apply(ctx, changes)
}

func (s *refusingStore) count() int {
	s.bubble.mu.Lock()
	defer s.bubble.mu.Unlock()
	n := s.pushes
	s.pushes = 0
	return n
}

func (s *refusingStore) written(t *testing.T) int {
	t.Helper()
	state, err := s.Store.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for path := range state.Files.All() {
		if path.Base() == "map.yaml" {
			n++
		}
	}
	return n
}

func TestRefusedPlacementDelaysNoOther(t *testing.T) {
	for name, takes := range map[string]time.Duration{"a fast store": 0, "a slow store": 7 * time.Second} {
		t.Run(name, func(t *testing.T) {
			inABubble(t, func(t *testing.T, b *bubble) {
				refusing := &refusingStore{Store: b.stored, takes: takes, bubble: b}
				b.mu.Lock()
				b.stored = refusing
				b.mu.Unlock()
				for i := range 40 {
					b.add(fmt.Sprint("work-", i), "good")
				}
				b.putAndNotify("bad", "AKIA")
				time.Sleep(4 * time.Minute)
				if got := refusing.written(t); got != 40 {
					t.Errorf("%d of 40 Works are written", got)
				}
				if got := refusing.count(); got < 2 || got > 12 {
					t.Errorf("it takes %d pushes", got)
				}
				said := b.page("/api/v1/report")
				if !strings.Contains(said, `"KS066"`) || !strings.Contains(said, "bad/5058f/map.yaml holds a key") || strings.Contains(said, `"KS060"`) {
					t.Errorf("the report says %s", said)
				}
				if said := b.page("/metrics"); !strings.Contains(said, `kratix_schedule_store_consecutive_failures{store="GitStateStore default"} 0`) {
					t.Error("the store counts as failed")
				}
				b.putAndNotify("late", "good")
				time.Sleep(20 * time.Second)
				if got := refusing.count(); got != 1 || refusing.written(t) != 41 {
					t.Errorf("a later Work takes %d pushes", got)
				}
				time.Sleep(3 * time.Hour) // the placement is retried after 5, 15, 35, 75 and 155 minutes
				if got := refusing.count(); got < 4 || got > 6 {
					t.Errorf("in three hours it is tried again %d times", got)
				}
				b.mu.Lock()
				refusing.takesAll = true
				b.mu.Unlock()
				time.Sleep(7 * time.Hour)
				if said := b.page("/api/v1/report"); refusing.written(t) != 42 || strings.Contains(said, `"KS066"`) {
					t.Error("it is not written though the server takes it now")
				}
			})
		})
	}
}

func TestSIGHUPRetriesRefusedUnits(t *testing.T) {
	b := newBubble(t)
	refusing := &refusingStore{Store: b.stored, bubble: b}
	b.stored = refusing
	b.putAndNotify("good", "good")
	b.putAndNotify("bad", "AKIA")
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- b.daemon.rounds(ctx, b.changes) }()
	defer func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	wait := func(works int) {
		t.Helper()
		for range 300 {
			if refusing.written(t) == works {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatalf("%d Works are written, want %d", refusing.written(t), works)
	}
	wait(1)
	b.mu.Lock()
	refusing.takesAll = true
	b.mu.Unlock()
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if err := self.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	wait(2)
}
