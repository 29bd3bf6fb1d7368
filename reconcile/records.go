package reconcile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// recordView is a placement that a store remembers.
type recordView struct {
	*layout.Record
	// path is where the record belongs.
	path tree.Path
	// elsewhere are other paths at which the placement is recorded: those of an
	// earlier layout, or of the Destination's earlier name.
	elsewhere []tree.Path
	// mode is the filepath mode that the record was written in.
	mode string
	// why is the reason for its removal; empty if its Work is gone.
	why string
}

// paths returns all paths at which the placement is recorded or should be.
func (r *recordView) paths() []tree.Path { return append(slices.Clip(r.elsewhere), r.path) }

// addTo puts a recorded placement's files and its record into a set.
func (r *recordView) addTo(set *tree.Set) {
	for _, path := range r.paths() {
		set.AddFile(path)
	}
	for _, file := range r.Files {
		set.AddFile(file)
	}
}

// addUnless is addTo without the files in another set.
func (r *recordView) addUnless(others, set *tree.Set) {
	for _, path := range r.paths() {
		set.AddFile(path)
	}
	for _, file := range r.Files {
		if !others.Has(file) {
			set.AddFile(file)
		}
	}
}

// readRecords reads the records in the directories of a store's Destinations.
func (w *world) readRecords(ctx context.Context, store *storeView, memo *memo) error {
	for _, d := range store.destinations {
		dir, err := layout.RecordsDir(d.Destination)
		if err != nil {
			return err
		}
		read, known := memo.records.get(d.Destination)
		if known && read.store != store.Store {
			known, read = false, recordsView{}
		}
		if !known || !read.files.Same(store.state.Files, dir) {
			if read, err = d.readRecords(ctx, store, dir, read.parsed); err != nil {
				return err
			}
			memo.records.put(d.Destination, read)
		}
		d.records, d.guests, d.legacy, d.owners, d.spoilt = read.records, read.guests, read.legacy, read.owners, read.spoilt
		d.ledgerView = read.ledgerView
		w.findings = append(w.findings, read.findings...)
	}
	return nil
}

// readRecords reads the records of a Destination; known are those that were read
// before.
func (d *destinationView) readRecords(ctx context.Context, store *storeView, dir tree.Path, known map[recordKey]*readRecord) (recordsView, error) {
	view := recordsView{store: store.Store, files: store.state.Files, legacy: map[tree.Path][]tree.Path{}, parsed: map[recordKey]*readRecord{}}
	var words kratix.Words
	ledger, err := layout.LedgerPath(d.Destination)
	if err != nil {
		return view, err
	}
	for path, sum := range store.state.Files.Below(dir) {
		if path == ledger {
			if view.ledgerView, err = readLedger(ctx, store, path); err != nil {
				return view, err
			}
			continue
		}
		key := recordKey{path, sum}
		read, ok := known[key]
		if !ok {
			if read, err = parseRecord(ctx, store, path, d.Destination); err != nil {
				return view, err
			}
			read.share(&words, store.state.Files)
		}
		view.parsed[key] = read
		view.add(d, path, read)
	}
	view.records = united(view.records)
	return view, nil
}

// parseRecord reads the record at a path in the directory of a Destination. Why a
// file is no record, or is not believed, is in what it returns; the error is the
// store's.
func parseRecord(ctx context.Context, store *storeView, path tree.Path, d *kratix.Destination) (*readRecord, error) {
	content, err := store.state.Contents.Content(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("read the record %s: %w", path, err)
	}
	read := &readRecord{}
	read.Record, read.err = layout.ParseRecord(content)
	if read.err != nil {
		return read, nil
	}
	read.mode = layout.ModeOf(d, path, &read.Record)
	if read.err = doubt(d, path, read); read.err == nil && read.Placement != nil {
		read.path, read.err = layout.RecordPath(d, read.Placement)
	}
	return read, nil
}

// errMisnamed is a record whose path is another placement's.
var errMisnamed = errors.New("it is not named after the placement that it describes")

// doubt returns why a record is not believed: a record is a claim, and counts only
// for what its own placement can have.
func doubt(d *kratix.Destination, path tree.Path, read *readRecord) error {
	base, err := layout.Base(d)
	if err != nil {
		return err
	}
	dir := base
	if read.Placement != nil {
		p := read.Placement
		if p.Name != kratix.PlacementName(p.Work().Name, p.Spec.TargetDestinationName, p.Spec.ID) || !slices.Contains(layout.RecordPaths(d, p), path) {
			return errMisnamed
		}
		if read.mode == kratix.NestedByMetadata {
			dir = layout.DirIn(d, read.Placement)
		}
	}
	for _, file := range read.Files {
		switch {
		case !file.Within(base):
			return fmt.Errorf("it claims %s, outside of the Destination's directory", file)
		case !file.Within(dir):
			return fmt.Errorf("it claims %s, outside of its placement's directory %s", file, dir)
		}
		if of, isRecord := layout.RecordBase(file); isRecord && of == base {
			return fmt.Errorf("it claims %s, which is a record", file)
		}
	}
	return nil
}

// add takes a record in, if it is believed.
func (v *recordsView) add(d *destinationView, path tree.Path, read *readRecord) {
	switch {
	case read.err != nil:
		place := finding.Place{Object: kratix.Describe(d.Destination), File: path.String()}
		v.findings = append(v.findings, finding.Finding{Rule: finding.BadRecord(), Place: place, Message: read.err.Error()})
		v.spoilt = append(v.spoilt, path)
		return
	case read.Placement == nil:
		v.legacy[path] = read.Files
		return
	case read.Placement.Spec.TargetDestinationName != d.Name:
		v.guests = append(v.guests, read.view(path))
	default:
		v.records = append(v.records, read.view(path))
	}
	if !slices.Contains(v.owners, read.Owner) {
		v.owners = append(v.owners, read.Owner)
	}
}

// view returns the placement that is recorded at a path.
func (r *readRecord) view(at tree.Path) recordView {
	view := recordView{Record: &r.Record, path: r.path, mode: r.mode}
	if at != r.path {
		view.elsewhere = []tree.Path{at}
	}
	return view
}

// united returns the records with those of one placement, in the layouts of two
// versions, made one. The record that lies where it belongs counts.
func united(records []recordView) []recordView {
	at := make(map[tree.Path]int, len(records))
	all := records[:0]
	for _, record := range records {
		i, known := at[record.path]
		if !known {
			at[record.path] = len(all)
			all = append(all, record)
			continue
		}
		first := &all[i]
		if len(first.elsewhere) > 0 && len(record.elsewhere) == 0 {
			record.elsewhere = first.elsewhere
			*first = record
			continue
		}
		first.elsewhere = append(slices.Clip(first.elsewhere), record.elsewhere...)
	}
	return all
}

// recordOf returns the record of a placement; nil if the store has none.
func (dest *desiredDestination) recordOf(p *desiredPlacement) *recordView {
	if dest.recordAt == nil {
		dest.recordAt = make(map[tree.Path]*recordView, len(dest.records))
		for i := range dest.records {
			dest.recordAt[dest.records[i].path] = &dest.records[i]
		}
	}
	record := dest.recordAt[p.record.Path]
	if record == nil || groupOf(record.Placement) != groupOf(p.WorkPlacement) {
		return nil
	}
	return record
}

// listed returns how many records list each file of the Destination.
func (dest *desiredDestination) listed() map[tree.Path]int {
	if dest.listings != nil {
		return dest.listings
	}
	dest.listings = map[tree.Path]int{}
	for _, record := range dest.records {
		for _, file := range record.Files {
			dest.listings[file]++
		}
	}
	for path, files := range dest.legacy {
		if slices.ContainsFunc(dest.records, func(r recordView) bool { return r.path == path }) {
			continue // the placement's own
		}
		for _, file := range files {
			dest.listings[file]++
		}
	}
	return dest.listings
}

// staying returns what belongs to the placements and records that stay, so that
// none of it goes with a record that is removed and claims it too.
func (dest *desiredDestination) staying() *tree.Set {
	set := &tree.Set{}
	for _, p := range dest.placements {
		p.addTo(set)
	}
	removed := map[tree.Path]bool{}
	for _, record := range dest.removed {
		removed[record.path] = true
	}
	for i := range dest.records {
		if !removed[dest.records[i].path] {
			dest.records[i].addTo(set)
		}
	}
	return set
}

// separateRecords holds back placements whose record would lie where another's
// does: in filepath mode none the path is Kratix's, which is the same for Work b-c
// in namespace a and Work c in namespace a-b. The recorded one stays, else the
// older one.
func (dest *desiredDestination) separateRecords() {
	first := make(map[tree.Path]*desiredPlacement, len(dest.placements))
	for _, p := range dest.placements {
		other := first[p.record.Path]
		if other == nil {
			first[p.record.Path] = p
			continue
		}
		if dest.precedes(p, other) {
			first[p.record.Path], p, other = p, other, p
		}
		p.hold("its record would lie where that of " + other.object() + " does")
		dest.findings = append(dest.findings, finding.Finding{
			Rule: finding.PathTaken(), Place: finding.Place{Object: p.object()},
			Message: fmt.Sprintf("its record %s would be that of %s too", p.record.Path, other.object()),
			Fix:     "Rename one of the two Works or its namespace: in filepath mode none Kratix keeps both at one path.",
		})
	}
}

// precedes reports whether a placement keeps a path that another wants too.
func (dest *desiredDestination) precedes(p, other *desiredPlacement) bool {
	if recorded := dest.recordOf(p) != nil; recorded || dest.recordOf(other) != nil {
		return recorded
	}
	a, b := p.claim().Rank, other.claim().Rank
	return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name)) < 0
}
