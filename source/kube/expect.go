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

// Attempt is a WorkPlacement that this process has created or tried to create.
type Attempt struct {
	Object *kratix.WorkPlacement
	// Version is the resource version after creation, or "" if it is unknown whether the creation
	// succeeded.
	Version string
}

// pendingTimeout is the time within which the API server may still execute a request that it has
// not answered.
const pendingTimeout = time.Minute

const confirmTimeout = 5 * time.Second

type expectation struct {
	object  *kratix.WorkPlacement
	version string
	// tried is the time of the last attempt, or the time at which Confirm found the WorkPlacement.
	tried time.Time
}

// expectations are the attempts that the watch has not shown yet, by key.
type expectations struct {
	mu      sync.Mutex
	pending map[kratix.Key]expectation
}

// Expect adds WorkPlacements to snapshots until the watch shows them, or Confirm finds that they do
// not exist.
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

// Expected reports whether a WorkPlacement was certainly created, and the watch has not shown it
// yet.
func (s *Source) Expected(key kratix.Key) bool {
	return s.unseen()[key].version != ""
}

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

// Confirm reads expected WorkPlacements from the API server. It removes the expectation of a
// WorkPlacement that cannot appear any more, and requests a round. It reports whether any
// expectations are left.
func (s *Source) Confirm(ctx context.Context) (left bool) {
	for key, expected := range s.unseen() {
		age := s.now().Sub(expected.tried)
		if expected.version != "" && age < pendingTimeout {
			left = true // the watch has not shown the WorkPlacement yet
			continue
		}
		found, err := s.find(ctx, key)
		switch {
		case err != nil:
			return true // the outcome is still unknown
		case found != nil:
			s.resolve(key, expected, expectation{found, found.ResourceVersion, s.now()})
			left = true
		case expected.version == "" && age < pendingTimeout:
			left = true // the API server may still create the WorkPlacement
		default:
			s.resolve(key, expected, expectation{})
			s.RequestRound()
		}
	}
	return left
}

// resolve replaces the expectation was by is, or removes was if is has no object. It does nothing
// if the key has another expectation by now.
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

// find reads a WorkPlacement from the API server. It returns nil if there is none. It sends a list
// request, because a get request needs another permission.
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
		if sent, ok := item.(receivedObject[*kratix.WorkPlacement]); ok {
			if p, _ := s.placements.slimmed(sent); p.Name == key.Name {
				found = p
			}
		}
		return nil
	})
	return found, err
}
