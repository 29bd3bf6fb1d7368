package kube

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Attempt is a WorkPlacement that this process has created, or may have created.
type Attempt struct {
	Object *kratix.WorkPlacement
	// Version is the one that it was created at; empty if the outcome is not known.
	Version string
}

// unsettled is how long after an attempt of unknown outcome the API server may still
// carry it out: its own limit for a request. What is known to be there is looked for as
// seldom, in case it was deleted before the watch has shown it.
const unsettled = time.Minute

// confirmTimeout bounds one request by which an expectation is confirmed.
const confirmTimeout = 5 * time.Second

// expectation is an attempt that the watch has not shown.
type expectation struct {
	object  *kratix.WorkPlacement
	version string
	// tried is when it was attempted last, or found.
	tried time.Time
}

// expectations are the attempts that the watch has not shown, by the keys of their
// WorkPlacements: a round that did not count them could place a request twice.
type expectations struct {
	mu      sync.Mutex
	pending map[kratix.Key]expectation
}

// Expect has WorkPlacements count in snapshots until the watch has shown them, or
// Confirm has found that they are not there.
func (s *Source) Expect(attempts []Attempt) {
	s.expected.mu.Lock()
	defer s.expected.mu.Unlock()
	for _, attempt := range attempts {
		key := kratix.KeyOf(attempt.Object)
		if known, again := s.expected.pending[key]; again && attempt.Version == "" {
			known.tried = s.now()
			s.expected.pending[key] = known
			continue
		}
		object := attempt.Object.DeepCopy()
		object.ResourceVersion = attempt.Version
		s.placements.kind.slim(object)
		if s.expected.pending == nil {
			s.expected.pending = map[kratix.Key]expectation{}
		}
		s.expected.pending[key] = expectation{object, attempt.Version, s.now()}
	}
}

// Expected reports whether a WorkPlacement is known to have been created, though the
// watch has not shown it.
func (s *Source) Expected(key kratix.Key) bool {
	return s.unseen()[key].version != ""
}

// unseen returns the expectations that the watch has not fulfilled, and forgets all
// others.
func (s *Source) unseen() map[kratix.Key]expectation {
	s.expected.mu.Lock()
	defer s.expected.mu.Unlock()
	left := make(map[kratix.Key]expectation, len(s.expected.pending))
	for key, expected := range s.expected.pending {
		if _, there := s.placements.get(key); there && s.placements.reached(key, expected.version) {
			delete(s.expected.pending, key)
			continue
		}
		left[key] = expected
	}
	return left
}

// Confirm asks the API server for each WorkPlacement that is expected and not seen. One
// that is there counts as it is; one that is not there counts no more, and a round is
// asked for. Confirm reports whether expectations are left.
func (s *Source) Confirm(ctx context.Context) (left bool) {
	for key, expected := range s.unseen() {
		age := s.now().Sub(expected.tried)
		if expected.version != "" && age < unsettled {
			left = true // the watch lags
			continue
		}
		found, err := s.find(ctx, key)
		switch {
		case err != nil:
			return true // nothing is known of it
		case found != nil:
			s.resolve(key, expected, expectation{found, found.ResourceVersion, s.now()})
			left = true
		case expected.version == "" && age < unsettled:
			left = true // the API server may still create it
		default:
			s.resolve(key, expected, expectation{})
			s.Nudge()
		}
	}
	return left
}

// resolve puts an expectation into the place of another, unless that has changed; an
// empty one ends it.
func (s *Source) resolve(key kratix.Key, was, is expectation) {
	s.expected.mu.Lock()
	defer s.expected.mu.Unlock()
	switch {
	case s.expected.pending[key] != was:
	case is.object == nil:
		delete(s.expected.pending, key)
	default:
		s.expected.pending[key] = is
	}
}

// find returns a WorkPlacement as the API server has it now, or nil if there is none. It
// lists, since no role has to allow more.
func (s *Source) find(ctx context.Context, key kratix.Key) (*kratix.WorkPlacement, error) {
	ctx, cancel := context.WithTimeout(ctx, confirmTimeout)
	defer cancel()
	options := metav1.ListOptions{FieldSelector: "metadata.name=" + key.Name}
	answer, err := s.platform.Get().Namespace(key.Namespace).Resource("workplacements").VersionedParams(&options, metav1.ParameterCodec).
		MaxRetries(0).Do(ctx).Get()
	if err != nil {
		return nil, err
	}
	var found *kratix.WorkPlacement
	err = meta.EachListItem(answer, func(item runtime.Object) error {
		if sent, ok := item.(carrier[*kratix.WorkPlacement]); ok {
			if p, _ := s.placements.slimmed(sent); p.Name == key.Name {
				found = p
			}
		}
		return nil
	})
	return found, err
}
