package listing

import (
	"context"
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const recordedState = "recorded"

// FromRecords returns the listing of the records in a store, and the files among them that are not
// records. store is the row of the store.
func FromRecords(ctx context.Context, state statestore.State, store Store) (l Listing, foreign []string, err error) {
	name := store.Kind + " " + store.StoreName
	l.Lacks = map[Fact]string{Problems: "a store has no conflicts, because what conflicts is not written: use -f, --kube or --server"}
	paths := map[string]string{}
	store.State, store.Revision = readyState, string(state.Revision)
	l.Stores = []Store{store}
	for path := range state.Files.All() {
		base, isRecord := layout.RecordBase(path)
		if !isRecord {
			continue
		}
		if len(l.Placements) == MaxRows {
			return l, nil, tooManyError{"records"}
		}
		content, err := state.Contents.Content(ctx, path)
		if err != nil {
			return l, nil, fmt.Errorf("read the record %s: %w", path, err)
		}
		record, err := layout.ParseRecord(content)
		switch {
		case err != nil:
			foreign = append(foreign, path.String())
			continue
		case record.Placement == nil:
			l.Placements = append(l.Placements, Placement{
				Work: strings.TrimSuffix(path.Base(), ".yaml"), Group: kratix.DefaultDirectory, State: recordedState, Store: name, Revision: string(state.Revision),
				Reason: "Kratix wrote this list of files; its name has the namespace, the Work and the Destination",
			})
			continue
		}
		p := record.Placement
		work := p.Work()
		l.Placements = append(l.Placements, Placement{
			Namespace: work.Namespace, Work: work.Name, Group: groupOf(p.Spec.ID), Destination: p.Spec.TargetDestinationName, State: recordedState,
			Promise: p.Spec.PromiseName, Resource: p.Spec.ResourceName, Store: name, Revision: string(state.Revision), Labels: p.Labels,
		})
		if _, known := paths[p.Spec.TargetDestinationName]; !known {
			paths[p.Spec.TargetDestinationName] = base.String()
			l.Destinations = append(l.Destinations, Destination{DestinationName: p.Spec.TargetDestinationName, State: recordedState, Store: name, Path: base.String()})
		}
	}
	l.Count()
	return l, foreign, nil
}

// groupOf returns a short name for the group with an ID: the default directory, or the beginning of
// the ID.
func groupOf(id string) string {
	if id == kratix.GroupID(kratix.DefaultDirectory) || id == "" {
		return kratix.DefaultDirectory
	}
	return kratix.ShortID(id)
}
