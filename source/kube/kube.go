// Package kube reads the objects of a Kubernetes cluster into a [source.Snapshot], and reports
// changes. It does I/O: it lists and watches objects, and writes nothing.
package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// Source is a [source.Source] that watches a cluster.
type Source struct {
	works        *mirror[*kratix.Work]
	placements   *mirror[*kratix.WorkPlacement]
	destinations *mirror[*kratix.Destination]
	gits         *mirror[*kratix.GitStateStore]
	buckets      *mirror[*kratix.BucketStateStore]
	rollouts     *mirror[*kratix.Rollout]
	registries   *mirror[*kratix.OCIStateStore]
	// readsRegistries reports whether registries is used.
	readsRegistries bool
	// secrets watches the Secrets that stores refer to. It is nil if no Secrets are read.
	secrets *secrets
	// profiles watches the profiles of Destinations. It is nil if no profiles are read.
	profiles *profiles
	opens    func([]kratix.Object) []kratix.Object
	// deleted and deletedPlacements are the Works and WorkPlacements that the API server has
	// reported as deleted.
	deleted, deletedPlacements deletions
	// expected are WorkPlacements of this process that the watch has not shown yet.
	expected expectations
	// core is the client for core objects. platform is the client for Kratix's kinds.
	core, platform rest.Interface
	now            func() time.Time
	// renewals throttles the rounds for objects that are rewritten with the same content.
	renewals throttle
	others   others
	contents bool
	// shared makes the first snapshot share the contents of Works with their WorkPlacements.
	shared sync.Once

	// onStores is called at most once; nil for not at all. announced means that it was called.
	onStores  func(ctx context.Context, stores source.Snapshot)
	announced atomic.Bool

	// changes holds at most one pending change notification.
	changes chan struct{}
	mu      sync.Mutex
	moved   chan struct{}
	// ended is closed when the context of Follow ends. It is nil before Follow is called.
	ended <-chan struct{}
}

var _ source.Source = (*Source)(nil)

// syncTimeout is how long Snapshot waits for the next object of the initial lists, and how long
// Await waits.
const syncTimeout = 30 * time.Second

// snapshotGracePeriod is how long await tolerates API errors.
const snapshotGracePeriod = 5 * time.Second

// secretTimeout is how long a snapshot waits for new Secrets and for profiles.
const secretTimeout = 5 * time.Second

// Options configure a Source.
type Options struct {
	// Now returns the time. If it is nil, the time is the zero time.
	Now func() time.Time
	// Contents means that snapshots have all WorkPlacements with their contents.
	Contents bool
	// NoSecrets means that no Secrets are read.
	NoSecrets bool
	// ProfileNamespace is the namespace of the ConfigMaps with profiles. If it is empty, no
	// profiles are read.
	ProfileNamespace string
	// OCIStores means that OCIStateStores are read.
	OCIStores bool
	// NamedStores means that the OCIStateStore in an annotation of a Destination takes precedence
	// over the state store in its spec.
	NamedStores bool
	// Opens returns the Destinations and state stores whose Secrets are read. If Opens is nil, the
	// Secrets of all state stores are read.
	Opens func(objects []kratix.Object) []kratix.Object
}

func (o *Options) slimDestination() func(*kratix.Destination) {
	if o.NamedStores {
		return (*kratix.Destination).UseNamedStore
	}
	return nil
}

// New returns a Source for the cluster of config. Watching starts with Follow.
func New(config *rest.Config, options Options) (*Source, error) {
	api, err := connect(config)
	if err != nil {
		return nil, err
	}
	s := &Source{changes: make(chan struct{}, 1), moved: make(chan struct{}), core: api.core, platform: api.platform, contents: options.Contents, opens: options.Opens, now: options.Now, readsRegistries: options.OCIStores}
	s.renewals.requestRound = s.requestRound
	if s.now == nil {
		s.now = func() time.Time { return time.Time{} }
	}
	s.works = mirrorOf(api.platform, "works", &sent[kratix.Work, *kratix.Work]{}, feature[*kratix.Work]{slim: new(kratix.Interner).ShareWork, share: shareContents, content: sameContent, deleted: s.deleted.note}, s.notify)
	s.placements = mirrorOf(api.platform, "workplacements", &sent[kratix.WorkPlacement, *kratix.WorkPlacement]{},
		s.placementFeature(), s.notify)
	s.destinations = mirrorOf(api.platform, "destinations", &sent[kratix.Destination, *kratix.Destination]{},
		feature[*kratix.Destination]{same: sameReadiness, slim: options.slimDestination()}, s.notify)
	s.gits = mirrorOf(api.platform, "gitstatestores", &sent[kratix.GitStateStore, *kratix.GitStateStore]{}, feature[*kratix.GitStateStore]{}, s.notify)
	s.buckets = mirrorOf(api.platform, "bucketstatestores", &sent[kratix.BucketStateStore, *kratix.BucketStateStore]{},
		feature[*kratix.BucketStateStore]{}, s.notify)
	s.rollouts = mirrorOf(api.own, "rollouts", &sent[kratix.Rollout, *kratix.Rollout]{}, feature[*kratix.Rollout]{optional: true}, s.notify)
	s.registries = mirrorOf(api.own, "ocistatestores", &sent[kratix.OCIStateStore, *kratix.OCIStateStore]{},
		feature[*kratix.OCIStateStore]{optional: true}, s.notify)
	if !options.NoSecrets {
		s.secrets = newSecrets(api.core, s.notify)
	}
	if options.ProfileNamespace != "" {
		s.profiles = newProfiles(api.core, options.ProfileNamespace, s.notify)
	}
	return s, nil
}

func mirrorOf[O object](client rest.Interface, resource string, example receivedObject[O], kind feature[O], heard func(effect)) *mirror[O] {
	return newMirror(client, resource, scope{}, example, kind, heard)
}

// shareContents makes w use the contents of an older version that differs only in its status.
func shareContents(with, w *kratix.Work) { w.Spec = with.Spec }

// sameReadiness reports whether two versions have the same status of the Ready condition.
func sameReadiness(a, b *kratix.Destination) bool {
	const ready = "Ready"
	return meta.IsStatusConditionTrue(a.Status.Conditions, ready) == meta.IsStatusConditionTrue(b.Status.Conditions, ready) &&
		meta.IsStatusConditionFalse(a.Status.Conditions, ready) == meta.IsStatusConditionFalse(b.Status.Conditions, ready)
}

// Follow watches the cluster in goroutines until ctx ends. It returns at once.
func (s *Source) Follow(ctx context.Context) {
	s.mu.Lock()
	s.ended = ctx.Done()
	s.mu.Unlock()
	s.others.begin(s.now())
	if s.secrets != nil {
		s.secrets.begin(ctx)
	}
	if s.profiles != nil {
		go s.profiles.run(ctx)
	}
	for _, mirror := range s.mirrors() {
		go mirror.run(ctx)
	}
}

type followed interface {
	run(ctx context.Context)
	ready() (seen bool, why error)
	reached(key kratix.Key, version string) bool
}

func (s *Source) mirrors() map[string]followed {
	all := map[string]followed{
		kratix.WorkKind: s.works, kratix.WorkPlacementKind: s.placements, kratix.DestinationKind: s.destinations,
		kratix.GitStateStoreKind: s.gits, kratix.BucketStateStoreKind: s.buckets,
		kratix.RolloutKind: s.rollouts,
	}
	if s.readsRegistries {
		all[kratix.OCIStateStoreKind] = s.registries
	}
	return all
}

// notify wakes the goroutines that wait for an event, and requests a round if the effect requires a
// round.
func (s *Source) notify(what effect) {
	s.mu.Lock()
	close(s.moved)
	s.moved = make(chan struct{})
	s.mu.Unlock()
	switch what {
	case changed:
		s.requestRound()
	case renewed:
		s.renewals.note()
	}
}

func (s *Source) requestRound() {
	select {
	case s.changes <- struct{}{}:
	default: // a request is pending already
	}
}

// RequestRound requests a round although nothing has changed in the cluster.
func (s *Source) RequestRound() { s.notify(changed) }

// Changes returns a channel that receives a value when Snapshot should be called again. The channel
// is closed when ctx ends.
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

// Snapshot returns the last known state of the cluster. It fails if the initial lists fail, or if
// they are incomplete and no object arrives for 30 seconds, or after ten minutes.
func (s *Source) Snapshot(ctx context.Context) (source.Snapshot, error) {
	if err := s.awaitLists(ctx, func() error { return s.syncedOrAnnounce(ctx) }); err != nil {
		return source.Snapshot{}, err
	}
	stores, unreadable := s.readStores(ctx)
	works := slices.DeleteFunc(s.works.stable(), func(w *kratix.Work) bool { return !w.DeletionTimestamp.IsZero() })
	profiles, wrong := s.readProfiles(ctx)
	snapshot := source.Gather(slices.Concat(objects(works), stores, objects(profiles), objects(s.rollouts.stable())))
	snapshot.FromAPI = true
	s.addPlacements(&snapshot)
	snapshot.Findings = slices.Concat(snapshot.Findings, unreadable, wrong)
	s.reject(&snapshot)
	finding.Sort(snapshot.Findings)
	return snapshot, nil
}

// readSecrets returns the Secrets that stores refer to, and findings about unreadable Secrets.
func (s *Source) readSecrets(ctx context.Context, stores []kratix.Object) (found []*kratix.Secret, wrong []finding.Finding) {
	if s.secrets == nil {
		return nil, nil
	}
	if fresh := s.secrets.follow(stores); len(fresh) > 0 { //nolint:contextcheck // the watches outlive the snapshot
		_ = s.await(ctx, secretTimeout, func() error { return pending(fresh) }) // Secrets that were not seen by then are reported
	}
	return s.secrets.read(stores)
}

// reject adds findings about objects that cannot be decoded. The placements concerned stay as they
// are.
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
		if r, isRollout := object.(*kratix.Rollout); isRollout {
			snapshot.RejectedRollouts = append(snapshot.RejectedRollouts, r.Name)
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
	maps.Copy(all, s.rollouts.unreadable())
	maps.Copy(all, s.registries.unreadable())
	return all
}

func objects[O kratix.Object](found []O) []kratix.Object {
	all := make([]kratix.Object, 0, len(found))
	for _, o := range found {
		all = append(all, o)
	}
	return all
}

func (s *Source) synced() error { return listed(s.mirrors()) }

func listed(mirrors map[string]followed) error {
	var missing error
	for kind, mirror := range mirrors {
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

// Written is an object after a write. Version is its resource version, or "" for a deletion.
type Written struct {
	Kind    string
	Key     kratix.Key
	Version string
}

// Await waits for at most 30 seconds until the watches have shown the given writes.
func (s *Source) Await(ctx context.Context, writes []Written) {
	mirrors := s.mirrors()
	_ = s.await(ctx, syncTimeout, func() error {
		for _, w := range writes {
			if mirror, ok := mirrors[w.Kind]; ok && !mirror.reached(w.Key, w.Version) {
				return errNotSeen
			}
		}
		return nil
	})
}

var errNotSeen = errors.New("no answer yet")

// errEnded is the error after the context of Follow has ended.
var errEnded = errors.New("the cluster is not followed any more")

// maxSyncTimeouts is the maximum number of times that Snapshot waits for syncTimeout. Lists that are
// cut off begin again, so that objects may arrive for ever.
const maxSyncTimeouts = 20

// awaitLists waits until missing returns nil, as await does, and as long as objects arrive.
func (s *Source) awaitLists(ctx context.Context, missing func() error) error {
	for tries := 1; ; tries++ {
		before := s.received()
		if err := s.await(ctx, syncTimeout, missing); !errors.Is(err, errNotSeen) || s.received() == before || tries == maxSyncTimeouts {
			return err
		}
	}
}

// received returns the number of objects received so far of the kinds that may have many.
func (s *Source) received() int64 { return s.works.received.Load() + s.placements.received.Load() }

// await waits until missing returns nil, but at most for the duration longest. An error other than
// errNotSeen makes it fail after snapshotGracePeriod.
func (s *Source) await(ctx context.Context, longest time.Duration, missing func() error) error {
	began := time.NewTimer(snapshotGracePeriod)
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

// Objects are the Kratix objects in the cluster, with their status. WorkPlacements have no contents
// unless Options.Contents is set.
type Objects struct {
	Works          []*kratix.Work
	WorkPlacements []*kratix.WorkPlacement
	Destinations   []*kratix.Destination
	Rollouts       []*kratix.Rollout
	kratix.StateStores
	// Unreadable has the objects that cannot be decoded, by the result of kratix.Describe. They
	// have only their metadata.
	Unreadable map[string]bool
}

// Objects returns the current objects.
func (s *Source) Objects() Objects {
	unreadable := map[string]bool{}
	for object := range s.unreadable() {
		unreadable[kratix.Describe(object)] = true
	}
	return Objects{
		Works: s.works.current(), WorkPlacements: s.placements.current(), Destinations: s.destinations.current(),
		Rollouts: s.rollouts.current(),
		StateStores: kratix.StateStores{
			GitStateStores: s.gits.current(), BucketStateStores: s.buckets.current(), OCIStateStores: s.registries.current(),
		},
		Unreadable: unreadable,
	}
}
