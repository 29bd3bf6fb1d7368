package promoted_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/promoted"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

type cleanupEnv struct {
	*fixed
	t      *testing.T
	stores map[string]*memory.Store
	works  []*kratix.Work
}

func (s *cleanupEnv) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	return s.stores[ref.Name], nil
}

// The Destination d was first on the state store old, then on staging, and then promoted to live.
// All three stores have records of d.
func newCleanupEnv(t *testing.T) *cleanupEnv {
	s := &cleanupEnv{fixed: &fixed{}, t: t, stores: map[string]*memory.Store{}}
	for _, name := range []string{"live", "old", "staging"} {
		s.stores[name] = memory.New("GitStateStore " + name)
		s.GitStateStores = append(s.GitStateStores, gitStore(name, "https://example.com/"+name+".git", "main", ""))
	}
	s.works = []*kratix.Work{testkit.Request("w", testkit.WithPipeline("instance"), testkit.WithConfigMaps("one"))}
	s.Works = s.works
	for _, store := range []string{"old", "staging", "live"} {
		s.Destinations = []*kratix.Destination{destinationOn("d", "d", store, "")}
		s.round()
	}
	s.Works = nil
	return s
}

func (s *cleanupEnv) round() {
	s.t.Helper()
	r := &reconcile.Reconciler{Source: s, Stores: s, Finish: reconcile.Commit}
	if _, err := r.Round(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *cleanupEnv) hasRecord(store, dir string) bool {
	s.t.Helper()
	state, err := s.stores[store].Read(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	for path := range state.Files.All() {
		if strings.HasPrefix(path.Base(), "default-w.") && strings.HasPrefix(path.String(), dir+"/.kratix/") {
			return true
		}
	}
	return false
}

func (s *cleanupEnv) cleanup(live promoted.Stores) ([]string, *promoted.LiveCleanup, error) {
	s.t.Helper()
	on := &promoted.LiveCleanup{Source: s, Live: live, Of: "d"}
	r := &reconcile.Reconciler{Source: on, Stores: s, Finish: reconcile.Commit}
	left, failed, err := r.Cleanup(s.t.Context(), "d")
	if len(failed) > 0 {
		s.t.Errorf("findings %v", failed)
	}
	for _, one := range left {
		if one.Err != nil {
			s.t.Error(one.Err)
		}
	}
	var emptied []string
	for name := range s.stores {
		if !s.hasRecord(name, "d") {
			emptied = append(emptied, name)
		}
	}
	slices.Sort(emptied)
	return emptied, on, err
}

func TestCleanupOfAPromotedDestinationKeepsUsedFiles(t *testing.T) {
	mapped := promoted.Stores{{Kind: kratix.GitStateStoreKind, Name: "staging"}: {Kind: kratix.GitStateStoreKind, Name: "live"}}
	for name, c := range map[string]struct {
		change func(*cleanupEnv)
		live   promoted.Stores
	}{
		"annotated": {func(s *cleanupEnv) { s.Destinations[0] = destinationOn("d", "d", "staging", "GitStateStore/live") }, nil},
		"mapped":    {func(*cleanupEnv) {}, mapped},
		"another one is on the store that Kratix writes": {func(s *cleanupEnv) {
			s.Destinations = append(s.Destinations, destinationOn("other", "other", "staging", ""))
		}, mapped},
		"another name of that store": {func(s *cleanupEnv) {
			s.GitStateStores = append(s.GitStateStores, gitStore("alias", "ssh://git@example.com/staging", "main", "/"))
			s.stores["alias"] = s.stores["staging"]
		}, mapped},
	} {
		t.Run(name, func(t *testing.T) {
			s := newCleanupEnv(t)
			s.Destinations = []*kratix.Destination{destinationOn("d", "d", "staging", "")}
			c.change(s)
			if emptied, on, err := s.cleanup(c.live); err != nil || !slices.Equal(emptied, []string{"old"}) || on.MayBeLive("GitStateStore old") {
				t.Errorf("%v are emptied, %v", emptied, err)
			}
		})
	}
}

func TestCleanupKeepsFilesOfKratixBelowALiveStore(t *testing.T) {
	s := newCleanupEnv(t)
	s.GitStateStores = []*kratix.GitStateStore{gitStore("old", "https://example.com/a.git", "main", ""), gitStore("staging", "https://example.com/a.git", "main", "kratix")}
	for base, stays := range map[string]bool{"kratix/d": true, "elsewhere/d": false} {
		s.Works = s.works
		s.Destinations = []*kratix.Destination{destinationOn("d", base, "old", "")}
		s.round()
		s.Works, s.Destinations = nil, []*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/old")}
		if _, _, err := s.cleanup(nil); err != nil || s.hasRecord("old", base) != stays {
			t.Errorf("%s stays: %v, %v", base, s.hasRecord("old", base), err)
		}
	}
}

func TestCleanupIsRefusedWhileTheLiveStoreIsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*cleanupEnv)
		want   string
	}{
		"the annotation is mistyped": {func(s *cleanupEnv) { s.Destinations[0] = destinationOn("d", "d", "staging", "GitStateStore/lives") }, "names GitStateStore lives, which is not there"},
		"the live store is Kratix's": {func(s *cleanupEnv) { s.Destinations[0] = destinationOn("d", "d", "staging", "GitStateStore/staging") }, "is where Kratix writes"},
		"it has the finalizer":       {func(s *cleanupEnv) { s.Destinations[0].Finalizers = []string{kratix.LiveFinalizer} }, "it has the finalizer kratix-schedule.io/live-cleanup"},
		"others are promoted": {func(s *cleanupEnv) {
			s.Destinations = append(s.Destinations, destinationOn("e", "e", "staging", "GitStateStore/live"))
		}, "others on GitStateStore staging are promoted"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newCleanupEnv(t)
			s.Destinations = []*kratix.Destination{destinationOn("d", "d", "staging", "")}
			c.change(s)
			emptied, _, err := s.cleanup(nil)
			var refused *promoted.RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.want) || len(emptied) > 0 {
				t.Errorf("%v are emptied, %v", emptied, err)
			}
		})
	}
	s := newCleanupEnv(t)
	s.Destinations, s.Unseen = []*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/live")}, true
	if emptied, _, err := s.cleanup(nil); err == nil || len(emptied) > 0 {
		t.Errorf("a Destination cannot be read: %v are emptied, %v", emptied, err)
	}
	s = newCleanupEnv(t)
	s.Destinations = []*kratix.Destination{destinationOn("d", "d", "staging", "")}
	if _, on, err := s.cleanup(nil); err != nil || !on.MayBeLive("GitStateStore live") || on.MayBeLive("GitStateStore staging") {
		t.Errorf("where nothing says that it is promoted: %v", err)
	}
}

var _ source.Source = (*cleanupEnv)(nil)
