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

type recordView struct {
	*layout.Record
	path tree.Path
	// elsewhere are other paths at which the placement is recorded.
	elsewhere []tree.Path
	mode      string
	// why is the reason for a removal because of a move, and otherwise empty.
	why string
}

func (r *recordView) paths() []tree.Path { return append(slices.Clip(r.elsewhere), r.path) }

func (r *recordView) addTo(set *tree.Set) {
	for _, path := range r.paths() {
		set.AddFile(path)
	}
	for _, file := range r.Files {
		set.AddFile(file)
	}
}

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
		d.records, d.inherited, d.legacy, d.owners, d.invalidRecords = read.records, read.inherited, read.legacy, read.owners, read.invalidRecords
		d.ledgerView = read.ledgerView
		o.findings = append(o.findings, read.findings...)
	}
	return nil
}

// readRecords reads the records of a Destination. known are the records that were parsed before.
func (d *destinationView) readRecords(ctx context.Context, store *storeView, dir tree.Path, known map[recordKey]*readRecord) (recordsView, error) {
	view := recordsView{store: store.Store, files: store.state.Files, legacy: map[tree.Path][]tree.Path{}, parsed: map[recordKey]*readRecord{}}
	var interned kratix.Interner
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
	view.records = mergeDuplicates(view.records)
	return view, nil
}

// parseRecord reads the record at a path in the directory of a Destination. If the file is not a
// valid record, the result contains the reason. An error means that the store could not be read.
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

var errMisnamed = errors.New("it is not named after the placement that it describes")

// doubt returns the reason why a record is not trusted, or nil. Anyone who can write to the store
// can write records, so a record counts for the paths that its own placement can have.
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
		v.inherited = append(v.inherited, read.view(path))
	default:
		v.records = append(v.records, read.view(path))
	}
	if !slices.Contains(v.owners, read.Owner) {
		v.owners = append(v.owners, read.Owner)
	}
}

func (r *readRecord) view(at tree.Path) recordView {
	view := recordView{Record: &r.Record, path: r.path, mode: r.mode}
	if at != r.path {
		view.elsewhere = []tree.Path{at}
	}
	return view
}

// mergeDuplicates merges the records of the same placement. The record at the current path takes
// precedence.
func mergeDuplicates(records []recordView) []recordView {
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

// readRecord is a file in the record directory, or the reason why it is not trusted.
type readRecord struct {
	layout.Record
	path tree.Path
	mode string
	err  error
}

type recordKey struct {
	path   tree.Path
	digest statestore.Digest
}

type recordsView struct {
	store     statestore.Store
	files     statestore.Files
	records   []recordView
	inherited []recordView
	legacy    map[tree.Path][]tree.Path
	findings  []finding.Finding
	// invalidRecords are files in the record directory that do not parse or are not trusted.
	invalidRecords []tree.Path
	owners         []string
	ledgerView
	parsed map[recordKey]*readRecord
}

// intern replaces the strings and paths of a record by equal values that are in memory already.
func (r *readRecord) intern(words *kratix.Interner, files statestore.Files) {
	for i, path := range r.Files {
		r.Files[i] = files.Interned(path)
	}
	if r.Placement != nil {
		words.ShareWorkPlacement(r.Placement)
	}
}

// splitParts returns the parts of a joined file, or none if the file does not match the records.
func splitParts(whole []byte, records []recordView) map[*kratix.WorkPlacement][]byte {
	parsed := make([]layout.Record, 0, len(records))
	for _, record := range records {
		parsed = append(parsed, *record.Record)
	}
	return layout.Split(whole, parsed)
}
