package kube

import (
	"context"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// secrets reads the Secrets that stores name, each for itself, and no others.
type secrets struct {
	client rest.Interface
	heard  func(bool)

	mu  sync.Mutex
	ctx func() context.Context
	// watched ends the watch on each Secret.
	watched map[kratix.Key]context.CancelFunc
	// last is what was read, for while the API does not answer.
	last map[kratix.Key]*kratix.Secret
}

func newSecrets(client rest.Interface, heard func(bool)) *secrets {
	return &secrets{
		client: client, heard: heard, ctx: context.Background,
		watched: map[kratix.Key]context.CancelFunc{}, last: map[kratix.Key]*kratix.Secret{},
	}
}

// begin has watches live as long as ctx.
func (s *secrets) begin(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ctx = func() context.Context { return ctx }
}

// read gives the Secrets that stores name, but for those that are not there, and
// what is wrong with those that cannot be read.
func (s *secrets) read(ctx context.Context, stores []kratix.Object) (found []*kratix.Secret, wrong []finding.Finding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	named := references(stores)
	for key, stop := range s.watched {
		if !slices.Contains(named, key) {
			stop()
			delete(s.watched, key)
			delete(s.last, key)
		}
	}
	for _, key := range named {
		s.watch(key) //nolint:contextcheck // the watch outlives the snapshot
		secret := &kratix.Secret{}
		err := s.client.Get().Namespace(key.Namespace).Resource("secrets").Name(key.Name).Do(ctx).Into(secret)
		switch {
		case err == nil:
			s.last[key] = secret
		case apierrors.IsNotFound(err):
			delete(s.last, key)
		case s.last[key] == nil:
			wrong = append(wrong, finding.Finding{
				Rule: finding.UnreadableInput(), Place: finding.Place{Object: kratix.SecretKind + " " + key.String()}, Message: err.Error(),
				Fix: "Let the ServiceAccount get, list and watch Secrets in this namespace.",
			})
		}
		if secret := s.last[key]; secret != nil {
			found = append(found, secret)
		}
	}
	return found, wrong
}

// references gives the Secrets that stores name, each once.
func references(stores []kratix.Object) []kratix.Key {
	var named []kratix.Key
	add := func(ref *kratix.SecretReference) {
		if ref != nil && ref.Name != "" && !slices.Contains(named, ref.Key()) {
			named = append(named, ref.Key())
		}
	}
	for _, store := range stores {
		switch store := store.(type) {
		case *kratix.GitStateStore:
			add(store.Spec.SecretRef)
		case *kratix.BucketStateStore:
			add(store.Spec.SecretRef)
		}
	}
	return named
}

// watch asks for a round when a Secret changes. Its values are not kept here.
func (s *secrets) watch(key kratix.Key) {
	if s.watched[key] != nil {
		return
	}
	ctx, stop := context.WithCancel(s.ctx())
	s.watched[key] = stop
	at := scope{namespace: key.Namespace, fields: "metadata.name=" + key.Name}
	one := newMirror(s.client, "secrets", at, &sent[kratix.Secret, *kratix.Secret]{}, feature[*kratix.Secret]{
		slim: func(secret *kratix.Secret) { secret.Data, secret.StringData = nil, nil },
		same: func(a, b *kratix.Secret) bool { return a.ResourceVersion == b.ResourceVersion },
	}, s.heard)
	go one.run(ctx)
}
