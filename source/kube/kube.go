// Package kube turns the objects in a Kubernetes cluster into a Snapshot, and
// reports when they change. It follows Works, WorkPlacements, Destinations and
// state stores by list and watch, and so those Secrets that stores name. It writes
// nothing, and a snapshot makes no call.
package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// Source follows a cluster.
type Source struct {
	works        *mirror[*kratix.Work]
	placements   *mirror[*kratix.WorkPlacement]
	destinations *mirror[*kratix.Destination]
	gits         *mirror[*kratix.GitStateStore]
	buckets      *mirror[*kratix.BucketStateStore]
	// secrets are those that stores name; nil if none is to be read.
	secrets *secrets
	// opens is as in Options.
	opens func([]kratix.Object) []kratix.Object
	// deleted are the Works that the API said are deleted.
	deleted deletions
	// deletedPlacements are the WorkPlacements that it said are.
	deletedPlacements deletions
	// expected are the WorkPlacements that this process has made and not seen.
	expected expectations
	// core is what else is read of the API, and platform what Kratix's kinds are read by.
	core, platform rest.Interface
	now            func() time.Time
	// renewals keeps objects that are renewed again and again from asking for a round each
	// time.
	renewals throttle
	// others looks for other schedulers.
	others others
	// contents has the WorkPlacements of a snapshot come with their contents.
	contents bool
	// shared has had the contents of all WorkPlacements there were at the start use
	// the memory of those of their Works.
	shared sync.Once

	// changes says "look again"; it never holds more than one such word.
	changes chan struct{}
	mu      sync.Mutex
	// moved is closed at the next event.
	moved chan struct{}
	// ended is closed when the cluster is not followed any more; nil before it is.
	ended <-chan struct{}
}

var _ source.Source = (*Source)(nil)

// patience is how long a snapshot waits for the API: at the start for
// everything there is, later for what this process has written itself.
const patience = 30 * time.Second

// insistence is how long it waits for an API that refuses to answer.
const insistence = 5 * time.Second

// secretPatience is how long a snapshot waits for Secrets that were not named before.
const secretPatience = 5 * time.Second

// Options say what a Source has in its snapshots.
type Options struct {
	// Now is the clock; nil stands still.
	Now func() time.Time
	// Contents has them hold all WorkPlacements, with their contents: for who wants to
	// know what Kratix writes. No round is asked for when it has written one.
	Contents bool
	// NoSecrets has no Secret read: for who opens no state store.
	NoSecrets bool
	// Opens returns those of the state stores among Destinations and state stores whose
	// Secrets are read; nil is all of them.
	Opens func(objects []kratix.Object) []kratix.Object
}

// New makes a Source of the cluster that config leads to. It is not followed
// until Follow is called.
func New(config *rest.Config, options Options) (*Source, error) {
	api, err := connect(config)
	if err != nil {
		return nil, err
	}
	s := &Source{changes: make(chan struct{}, 1), moved: make(chan struct{}), core: api.core, platform: api.platform, contents: options.Contents, opens: options.Opens, now: options.Now}
	s.renewals.ask = s.ask
	if s.now == nil {
		s.now = func() time.Time { return time.Time{} }
	}
	s.works = mirrorOf(api.platform, "works", &sent[kratix.Work, *kratix.Work]{}, feature[*kratix.Work]{slim: new(kratix.Words).ShareWork, share: shareContents, content: sameContent, deleted: s.deleted.note}, s.heard)
	s.placements = mirrorOf(api.platform, "workplacements", &sent[kratix.WorkPlacement, *kratix.WorkPlacement]{},
		s.placementFeature(), s.heard)
	s.destinations = mirrorOf(api.platform, "destinations", &sent[kratix.Destination, *kratix.Destination]{},
		feature[*kratix.Destination]{same: sameReadiness}, s.heard)
	s.gits = mirrorOf(api.platform, "gitstatestores", &sent[kratix.GitStateStore, *kratix.GitStateStore]{}, feature[*kratix.GitStateStore]{}, s.heard)
	s.buckets = mirrorOf(api.platform, "bucketstatestores", &sent[kratix.BucketStateStore, *kratix.BucketStateStore]{},
		feature[*kratix.BucketStateStore]{}, s.heard)
	if !options.NoSecrets {
		s.secrets = newSecrets(api.core, s.heard)
	}
	return s, nil
}

// mirrorOf mirrors all objects of a resource.
func mirrorOf[O object](client rest.Interface, resource string, example carrier[O], kind feature[O], heard func(news)) *mirror[O] {
	return newMirror(client, resource, scope{}, example, kind, heard)
}

// shareContents: files are held once, though the status of their Work changes.
func shareContents(with, w *kratix.Work) { w.Spec = with.Spec }

// sameReadiness: a Destination that is ready is chosen before others.
func sameReadiness(a, b *kratix.Destination) bool {
	const ready = "Ready"
	return meta.IsStatusConditionTrue(a.Status.Conditions, ready) == meta.IsStatusConditionTrue(b.Status.Conditions, ready) &&
		meta.IsStatusConditionFalse(a.Status.Conditions, ready) == meta.IsStatusConditionFalse(b.Status.Conditions, ready)
}

// Follow follows the cluster until ctx ends.
func (s *Source) Follow(ctx context.Context) {
	s.mu.Lock()
	s.ended = ctx.Done()
	s.mu.Unlock()
	s.others.begin(s.now())
	if s.secrets != nil {
		s.secrets.begin(ctx)
	}
	for _, mirror := range s.mirrors() {
		go mirror.run(ctx)
	}
}

// followed is a mirror of any kind.
type followed interface {
	run(ctx context.Context)
	ready() (seen bool, why error)
	reached(key kratix.Key, version string) bool
}

func (s *Source) mirrors() map[string]followed {
	return map[string]followed{
		kratix.WorkKind: s.works, kratix.WorkPlacementKind: s.placements, kratix.DestinationKind: s.destinations,
		kratix.GitStateStoreKind: s.gits, kratix.BucketStateStoreKind: s.buckets,
	}
}

// heard wakes who waits for an event and, if a round would see something new,
// asks for one.
func (s *Source) heard(what news) {
	s.mu.Lock()
	close(s.moved)
	s.moved = make(chan struct{})
	s.mu.Unlock()
	switch what {
	case changed:
		s.ask()
	case renewed:
		s.renewals.note()
	}
}

// ask asks for a round.
func (s *Source) ask() {
	select {
	case s.changes <- struct{}{}:
	default: // it is asked for already
	}
}

// Nudge asks for a round though nothing has changed in the cluster.
func (s *Source) Nudge() { s.heard(changed) }

// Changes says "look again" until ctx ends.
func (s *Source) Changes(ctx context.Context) (<-chan struct{}, error) {
	words := make(chan struct{})
	go func() {
		defer close(words)
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.changes:
			}
			select {
			case <-ctx.Done():
				return
			case words <- struct{}{}:
			}
		}
	}()
	return words, nil
}

// Snapshot returns what the cluster has, as far as it is known: while the API does
// not answer, what it said last.
func (s *Source) Snapshot(ctx context.Context) (source.Snapshot, error) {
	if err := s.await(ctx, patience, s.synced); err != nil {
		return source.Snapshot{}, err
	}
	stores := slices.Concat(objects(s.gits.stable()), objects(s.buckets.stable()))
	destinations := objects(s.destinations.stable())
	opened := stores
	if s.opens != nil {
		opened = s.opens(slices.Concat(destinations, stores))
	}
	found, unreadable := s.readSecrets(ctx, opened)
	works := slices.DeleteFunc(s.works.stable(), func(w *kratix.Work) bool { return !w.DeletionTimestamp.IsZero() })
	snapshot := source.Gather(slices.Concat(objects(works), destinations, stores, objects(found)))
	snapshot.FromAPI = true
	s.addPlacements(&snapshot)
	snapshot.Findings = append(snapshot.Findings, unreadable...)
	s.reject(&snapshot)
	finding.Sort(snapshot.Findings)
	return snapshot, nil
}

// readSecrets returns the Secrets that stores name, and what is wrong with those that
// cannot be read.
func (s *Source) readSecrets(ctx context.Context, stores []kratix.Object) (found []*kratix.Secret, wrong []finding.Finding) {
	if s.secrets == nil {
		return nil, nil
	}
	if fresh := s.secrets.follow(stores); len(fresh) > 0 { //nolint:contextcheck // the watches outlive the snapshot
		_ = s.await(ctx, secretPatience, func() error { return pending(fresh) }) // what is not seen by then is a finding
	}
	return s.secrets.read(stores)
}

// reject adds findings about what cannot be read. What is placed of a Work stays as it is
// while the Work, or one of its WorkPlacements, cannot be, and so does what is placed on
// a Destination; a Work that is being deleted need not be read.
func (s *Source) reject(snapshot *source.Snapshot) {
	for object, wrong := range s.unreadable() {
		work, isWork := object.(*kratix.Work)
		if isWork && !work.DeletionTimestamp.IsZero() {
			continue
		}
		snapshot.Findings = append(snapshot.Findings, finding.Finding{
			Rule: finding.UnreadableInput(), Place: finding.Place{Object: kratix.Describe(object)}, Message: wrong.Error(),
			Fix: "Write it as the CustomResourceDefinition of its kind says.",
		})
		placement, isPlacement := object.(*kratix.WorkPlacement)
		if isPlacement && placement.DeletionTimestamp.IsZero() {
			snapshot.RejectedPlacements = append(snapshot.RejectedPlacements, kratix.KeyOf(placement))
		}
		if d, isDestination := object.(*kratix.Destination); isDestination {
			snapshot.Unwritten = append(snapshot.Unwritten, d)
		}
		switch {
		case isWork:
			snapshot.Rejected = append(snapshot.Rejected, kratix.KeyOf(work))
		case isPlacement && placement.Work().Name != "":
			snapshot.Rejected = append(snapshot.Rejected, placement.Work())
		}
	}
	slices.SortFunc(snapshot.Unwritten, source.Compare)
	slices.SortFunc(snapshot.RejectedPlacements, kratix.Key.Compare)
	slices.SortFunc(snapshot.Rejected, kratix.Key.Compare)
	snapshot.Rejected = slices.Compact(snapshot.Rejected)
	isRejected := func(w *kratix.Work) bool {
		_, rejected := slices.BinarySearchFunc(snapshot.Rejected, kratix.KeyOf(w), kratix.Key.Compare)
		return rejected
	}
	if len(snapshot.Rejected) > 0 {
		snapshot.Works = slices.DeleteFunc(snapshot.Works, isRejected)
	}
}

func (s *Source) unreadable() map[kratix.Object]error {
	all := s.works.unreadable()
	maps.Copy(all, s.placements.unreadable())
	maps.Copy(all, s.destinations.unreadable())
	maps.Copy(all, s.gits.unreadable())
	maps.Copy(all, s.buckets.unreadable())
	return all
}

func objects[O kratix.Object](found []O) []kratix.Object {
	all := make([]kratix.Object, 0, len(found))
	for _, o := range found {
		all = append(all, o)
	}
	return all
}

// synced reports whether every kind was listed once.
func (s *Source) synced() error {
	var missing error
	for kind, mirror := range s.mirrors() {
		seen, why := mirror.ready()
		if !seen && why == nil {
			why = fmt.Errorf("%w: every %s there is", errNotSeen, kind)
		}
		if !seen && (missing == nil || errors.Is(missing, errNotSeen)) {
			missing = why
		}
	}
	return missing
}

// Written is an object as it was after a write; one that was deleted has no
// version.
type Written struct {
	Kind    string
	Key     kratix.Key
	Version string
}

// Await waits until the cluster is seen as it was after these writes, so that
// the next round does not make them again. It gives up after a while: a write
// that is made twice does no harm.
func (s *Source) Await(ctx context.Context, writes []Written) {
	mirrors := s.mirrors()
	_ = s.await(ctx, patience, func() error {
		for _, w := range writes {
			if mirror, ok := mirrors[w.Kind]; ok && !mirror.reached(w.Key, w.Version) {
				return errNotSeen
			}
		}
		return nil
	})
}

var errNotSeen = errors.New("no answer yet")

// errEnded means that the cluster is not followed any more: the process ends.
var errEnded = errors.New("the cluster is not followed any more")

// await waits until missing returns nil, for so long at most, and not beyond the end of
// Follow: nothing new is seen then.
func (s *Source) await(ctx context.Context, longest time.Duration, missing func() error) error {
	began := time.NewTimer(insistence)
	defer began.Stop()
	late := time.NewTimer(longest)
	defer late.Stop()
	for insisted := false; ; {
		s.mu.Lock()
		moved, ended := s.moved, s.ended
		s.mu.Unlock()
		err := missing()
		if err == nil {
			return nil
		}
		if insisted && !errors.Is(err, errNotSeen) {
			return fmt.Errorf("the Kubernetes API: %w", err)
		}
		select {
		case <-moved:
		case <-began.C:
			insisted = true
		case <-ended:
			return errEnded
		case <-ctx.Done():
			return ctx.Err()
		case <-late.C:
			return fmt.Errorf("the Kubernetes API: %w", err)
		}
	}
}

// Objects are all objects of Kratix in the cluster as the API said last, with
// their statuses, and the WorkPlacements without their contents unless Options ask for
// them.
type Objects struct {
	Works             []*kratix.Work
	WorkPlacements    []*kratix.WorkPlacement
	Destinations      []*kratix.Destination
	GitStateStores    []*kratix.GitStateStore
	BucketStateStores []*kratix.BucketStateStore
	// Unreadable are those, as kratix.Describe names them, of which only the
	// metadata is known.
	Unreadable map[string]bool
}

// Objects returns what there is now.
func (s *Source) Objects() Objects {
	unreadable := map[string]bool{}
	for object := range s.unreadable() {
		unreadable[kratix.Describe(object)] = true
	}
	return Objects{
		Works: s.works.current(), WorkPlacements: s.placements.current(), Destinations: s.destinations.current(),
		GitStateStores: s.gits.current(), BucketStateStores: s.buckets.current(),
		Unreadable: unreadable,
	}
}
