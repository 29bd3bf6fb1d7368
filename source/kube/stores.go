package kube

import (
	"context"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// OnStores makes the first Snapshot call do while the Works are still being listed, with the
// Destinations, the state stores and their Secrets. The Snapshot may later have others. OnStores must
// be called before Snapshot.
func (s *Source) OnStores(do func(ctx context.Context, stores source.Snapshot)) { s.onStores = do }

// syncedOrAnnounce does the same as synced. If only Works and the like are missing, it calls onStores.
func (s *Source) syncedOrAnnounce(ctx context.Context) error {
	missing := s.synced()
	if missing == nil || s.onStores == nil || listed(s.storeMirrors()) != nil || !s.announced.CompareAndSwap(false, true) {
		return missing
	}
	stores, _ := s.readStores(ctx) // the snapshot has the findings
	s.onStores(ctx, source.Gather(stores))
	return s.synced()
}

func (s *Source) storeMirrors() map[string]followed {
	all := s.mirrors()
	maps.DeleteFunc(all, func(kind string, _ followed) bool {
		return kind == kratix.WorkKind || kind == kratix.WorkPlacementKind || kind == kratix.RolloutKind
	})
	return all
}

// readStores returns the Destinations, the state stores and the Secrets of the stores that are
// opened, and findings about unreadable Secrets.
func (s *Source) readStores(ctx context.Context) ([]kratix.Object, []finding.Finding) {
	stores := slices.Concat(objects(s.destinations.stable()), objects(s.gits.stable()), objects(s.buckets.stable()), objects(s.registries.stable()))
	opened := stores
	if s.opens != nil {
		opened = s.opens(stores)
	}
	secrets, unreadable := s.readSecrets(ctx, opened)
	return slices.Concat(stores, objects(secrets)), unreadable
}
