package kube

import (
	"context"
	"fmt"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// secrets watches the Secrets that stores refer to, with one watch for each. No other Secrets are
// read.
type secrets struct {
	client rest.Interface
	notify func(effect)

	mu      sync.Mutex
	ctx     func() context.Context
	watched map[kratix.Key]watchedSecret
}

// watchedSecret is one Secret. stop ends its watch.
type watchedSecret struct {
	*mirror[*kratix.Secret]
	stop context.CancelFunc
}

func newSecrets(client rest.Interface, heard func(effect)) *secrets {
	return &secrets{client: client, notify: heard, ctx: context.Background, watched: map[kratix.Key]watchedSecret{}}
}

// begin sets the parent context of the watches that are started from now on.
func (s *secrets) begin(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx = func() context.Context { return ctx }
}

// follow starts a watch for each Secret that stores refer to, and stops the watches of all others.
// It returns the new watches.
func (s *secrets) follow(stores []kratix.Object) (fresh []watchedSecret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	named := map[kratix.Key]bool{}
	for _, key := range references(stores) {
		named[key] = true
		if _, known := s.watched[key]; !known {
			s.watched[key] = s.watch(key)
			fresh = append(fresh, s.watched[key])
		}
	}
	for key, secret := range s.watched {
		if !named[key] {
			secret.stop()
			delete(s.watched, key)
		}
	}
	return fresh
}

// pending returns errNotSeen until all Secrets have been looked up, except those that this process
// may not read.
func pending(fresh []watchedSecret) error {
	for _, secret := range fresh {
		if seen, why := secret.ready(); !seen && !apierrors.IsForbidden(why) {
			return errNotSeen
		}
	}
	return nil
}

func (s *secrets) read(stores []kratix.Object) (found []*kratix.Secret, wrong []finding.Finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range references(stores) {
		secret := s.watched[key]
		found = append(found, secret.stable()...)
		if why := secret.unread(); why != nil {
			wrong = append(wrong, finding.Finding{
				Rule: finding.UnreadableInput(), Place: finding.Place{Object: kratix.SecretKind + " " + key.String()}, Message: why.Error(),
				Fix: "Let the ServiceAccount list and watch Secrets in this namespace.",
			})
		}
	}
	return found, wrong
}

// unread returns the error that kept a Secret from being read. It returns nil if the Secret was
// read or does not exist.
func (s watchedSecret) unread() error {
	for _, wrong := range s.unreadable() {
		return wrong
	}
	seen, why := s.ready()
	switch {
	case seen:
		return nil
	case why == nil:
		return fmt.Errorf("follow secrets: %w", errNotSeen)
	}
	return why
}

func references(stores []kratix.Object) []kratix.Key {
	var named []kratix.Key
	known := map[kratix.Key]bool{}
	add := func(ref *kratix.SecretReference) {
		if ref != nil && ref.Name != "" && !known[ref.Key()] {
			known[ref.Key()] = true
			named = append(named, ref.Key())
		}
	}
	for _, store := range stores {
		if store, is := store.(kratix.StateStore); is {
			add(store.SecretReference())
		}
	}
	return named
}

func (s *secrets) watch(key kratix.Key) watchedSecret {
	ctx, stop := context.WithCancel(s.ctx())
	at := scope{namespace: key.Namespace, fields: "metadata.name=" + key.Name}
	one := newMirror(s.client, "secrets", at, &sent[kratix.Secret, *kratix.Secret]{}, feature[*kratix.Secret]{
		same: func(a, b *kratix.Secret) bool { return a.ResourceVersion == b.ResourceVersion },
	}, s.notify)
	go one.run(ctx)
	return watchedSecret{one, stop}
}
