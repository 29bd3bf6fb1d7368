package reconcile

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// formerPlacement is a placement that is recorded outside the directory of its Destination.
type formerPlacement struct {
	recordView
	store *storeView
	base  tree.Path
	at    *destinationView
	// counts means that the group counts as placed because of this record. Otherwise the placement
	// is an old copy.
	counts bool
}

func (f *formerPlacement) target() string { return f.Placement.Spec.TargetDestinationName }

// formerIndex caches the records in a store that are outside the directories of all Destinations.
type formerIndex struct {
	store  statestore.Store
	files  statestore.Files
	bases  []tree.Path
	paths  map[tree.Path]statestore.Digest
	parsed map[recordKey]*readRecord
}

// readFormer adds the records in a store that are outside the directories of all Destinations.
func readFormer(ctx context.Context, o *observed, store *storeView, seen *observations) error {
	bases := o.basesIn(store)
	index, known := seen.former.get(store.ref)
	if !known || index.store != store.Store || !slices.Equal(index.bases, bases) {
		index = &formerIndex{store: store.Store, bases: bases, paths: map[tree.Path]statestore.Digest{}, parsed: map[recordKey]*readRecord{}}
		seen.former.put(store.ref, index)
	}
	index.update(store.state.Files)
	for _, path := range slices.SortedFunc(maps.Keys(index.paths), tree.Compare) {
		read, err := index.read(ctx, store, path)
		if err != nil {
			return err
		}
		if read.err == nil && read.Placement != nil {
			base, _ := layout.RecordBase(path)
			o.former = append(o.former, &formerPlacement{recordView: read.view(path), store: store, base: base})
		}
	}
	return nil
}

// basesIn returns the directories of Destinations in a store. They include the Destinations of
// other state stores in the same storage.
func (o *observed) basesIn(store *storeView) []tree.Path {
	at := store.location(tree.Path{})
	var bases []tree.Path
	for _, other := range o.stores {
		if other.location(tree.Path{}).Storage != at.Storage {
			continue
		}
		for _, d := range other.destinations {
			if base, within := other.location(d.base).Dir.RelativeTo(at.Dir); within {
				bases = append(bases, base)
			}
		}
	}
	slices.SortFunc(bases, tree.Compare)
	return bases
}

func (x *formerIndex) update(files statestore.Files) {
	for path := range files.Differing(x.files) {
		base, isRecord := layout.RecordBase(path)
		if !isRecord {
			continue
		}
		if _, current := slices.BinarySearchFunc(x.bases, base, tree.Compare); current {
			continue
		}
		sum, there := files.Digest(path)
		if there {
			x.paths[path] = sum
		} else {
			delete(x.paths, path)
		}
	}
	x.files = files
}

// read returns the record at a path. The result has an error if the file is not a record.
func (x *formerIndex) read(ctx context.Context, store *storeView, path tree.Path) (*readRecord, error) {
	key := recordKey{path, x.paths[path]}
	if read, known := x.parsed[key]; known {
		return read, nil
	}
	base, _ := layout.RecordBase(path)
	read, err := parseRecord(ctx, store, path, formerDestination("", base))
	if err != nil {
		return nil, err
	}
	x.parsed[key] = read
	return read, nil
}

// formerDestination returns a Destination from which the paths of records in a directory can be
// computed.
func formerDestination(name string, base tree.Path) *kratix.Destination {
	d := &kratix.Destination{}
	d.Name, d.Spec.Path = name, base.String()
	return d
}

// countFormer decides which former placements count as placed, so that a request follows its
// Destination to another path or store. The others are old copies: their group is placed already.
func countFormer(o *observed) {
	if len(o.former)+len(o.unreadable) == 0 {
		return
	}
	placed := o.placed()
	slices.SortStableFunc(o.former, func(a, b *formerPlacement) int { return compareFormer(o, a, b) })
	for _, f := range o.former {
		group := groupOf(f.Placement)
		mayBeOnSeveral := f.Placement.IsDependency() || o.Assigned
		if len(placed[group]) > 0 && (!mayBeOnSeveral || slices.Contains(placed[group], f.target())) {
			o.copies = append(o.copies, f.Placement)
			continue
		}
		f.counts = true
		o.unread = append(o.unread, f.Placement)
		placed[group] = append(placed[group], f.target())
	}
	reportUnreadable(o, placed)
}

func compareFormer(o *observed, a, b *formerPlacement) int {
	away := func(f *formerPlacement) int {
		if o.has(f.target()) {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(away(a), away(b)), cmp.Compare(a.target(), b.target()),
		cmp.Compare(a.store.ref.String(), b.store.ref.String()), tree.Compare(a.base, b.base), tree.Compare(a.path, b.path),
	)
}

// has reports whether a Destination is in the input, including Unwritten.
func (o *observed) has(name string) bool {
	if o.names == nil {
		o.names = make(map[string]bool, len(o.Destinations))
		for _, d := range slices.Concat(o.Destinations, o.Unwritten) {
			o.names[d.Name] = true
		}
	}
	return o.names[name]
}

// addInherited drops duplicates and the former placements of other controllers, and adds inherited
// placements. A record that mayTakeOver accepts becomes the Destination's own instead.
func addInherited(o *observed, policy Policy) {
	seen := map[layout.Location]bool{}
	o.former = slices.DeleteFunc(o.former, func(f *formerPlacement) bool {
		at := f.store.location(f.path)
		again := seen[at] // two stores at one location contain the same records
		seen[at] = true
		return again || !policy.owns(f.Owner)
	})
	for _, store := range o.stores {
		for _, d := range store.destinations {
			entries := slices.DeleteFunc(slices.Clone(d.inherited), func(entry recordView) bool { return !policy.owns(entry.Owner) })
			d.inherited = nil
			for _, entry := range entries {
				if o.mayTakeOver(d, entry.Placement) {
					d.takeOver(entry)
					continue
				}
				d.inherited = append(d.inherited, entry)
				o.former = append(o.former, &formerPlacement{recordView: entry, store: store, base: d.base, at: d})
			}
		}
	}
}

// mayTakeOver reports whether a placement in the directory of a Destination becomes the
// Destination's own. The former Destination must be gone.
func (o *observed) mayTakeOver(d *destinationView, entry *kratix.WorkPlacement) bool {
	if o.has(entry.Spec.TargetDestinationName) || o.Unseen {
		return false
	}
	return !o.Assigned || o.isAssigned(entry, d.Name)
}

func (o *observed) isAssigned(p *kratix.WorkPlacement, destination string) bool {
	key := kratix.Key{Namespace: p.Namespace, Name: kratix.PlacementName(p.Work().Name, destination, p.Spec.ID)}
	_, is := slices.BinarySearchFunc(o.Assignments, key, kratix.Key.Compare)
	return is
}

// takeOver adds a record of d for a placement of a former Destination.
func (d *destinationView) takeOver(entry recordView) {
	own := entry.Placement.DeepCopy()
	own.Name = kratix.PlacementName(own.Work().Name, d.Name, own.Spec.ID)
	own.Spec.TargetDestinationName = d.Name
	own.Labels[kratix.TargetDestinationLabel] = d.Name
	path, err := layout.RecordPath(d.Destination, own)
	if err != nil {
		return // the Destination's name is not a valid path
	}
	at := slices.IndexFunc(d.records, func(r recordView) bool { return r.path == path })
	d.records = slices.Clone(d.records)
	if at >= 0 {
		d.records[at].elsewhere = append(slices.Clip(d.records[at].elsewhere), entry.paths()...)
		return
	}
	record := *entry.Record
	record.Placement = own
	d.records = append(d.records, recordView{Record: &record, path: path, elsewhere: entry.paths(), mode: entry.mode})
	d.assumed = append(slices.Clip(d.assumed), own)
}
