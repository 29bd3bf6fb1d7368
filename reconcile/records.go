package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
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
func readRecords(ctx context.Context, o *observed, store *storeView, seen *observations) error {
	for _, d := range store.destinations {
		dir, err := layout.RecordsDir(d.Destination)
		if err != nil {
			return err
		}
		read, known := seen.records.get(d.Destination)
		if known && read.store != store.Store {
			known, read = false, recordsView{}
		}
		if !known || !read.files.Same(store.state.Files, dir) {
			if read, err = d.readRecords(ctx, store, dir, read.parsed); err != nil {
				return err
			}
			seen.records.put(d.Destination, read)
		}
		d.records, d.guests, d.legacy, d.owners, d.invalidRecords = read.records, read.guests, read.legacy, read.owners, read.invalidRecords
		d.ledgerView = read.ledgerView
		o.findings = append(o.findings, read.findings...)
	}
	return nil
}

// readRecords reads the records of a Destination; known are those that were read
// before.
func (d *destinationView) readRecords(ctx context.Context, store *storeView, dir tree.Path, known map[recordKey]*readRecord) (recordsView, error) {
	view := recordsView{store: store.Store, files: store.state.Files, legacy: map[tree.Path][]tree.Path{}, parsed: map[recordKey]*readRecord{}}
	var interned kratix.Words
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
			read.intern(&interned, store.state.Files)
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
		v.invalidRecords = append(v.invalidRecords, path)
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

// readRecord is what a file among the records says, or why that is not believed.
type readRecord struct {
	layout.Record
	// path is where the record belongs.
	path tree.Path
	mode string
	err  error
}

// recordKey is a record's content, as its store names it.
type recordKey struct {
	path tree.Path
	sum  statestore.Sum
}

// recordsView is what the records of a Destination say, and the files that they
// were read from.
type recordsView struct {
	store    statestore.Store
	files    statestore.Files
	records  []recordView
	guests   []recordView
	legacy   map[tree.Path][]tree.Path
	findings []finding.Finding
	// invalidRecords are the files among the records that are none.
	invalidRecords []tree.Path
	// owners are who wrote them, by the ids recorded.
	owners []string
	ledgerView
	// parsed are the records by the sum of their content.
	parsed map[recordKey]*readRecord
}

// intern makes a record use the strings and paths that are there already: of each
// placement a store has a record.
func (r *readRecord) intern(words *kratix.Words, files statestore.Files) {
	for i, path := range r.Files {
		r.Files[i] = files.Own(path)
	}
	if r.Placement != nil {
		words.ShareWorkPlacement(r.Placement)
	}
}
