package projected

import (
	"context"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// overlay is what the WorkPlacements of one Destination put into its store, each
// with a record as this program would write it.
type overlay struct {
	destination *kratix.Destination
	placements  []*kratix.WorkPlacement
	heirs       []Heir
	// records is the directory of its records, and lists what the store has there:
	// Kratix's lists, and records of an earlier time.
	records tree.Path
	lists   statestore.Files
	// projections are those of the placements.
	projections map[*kratix.WorkPlacement]*projection
	// sums are all files; from has the placement that each is of, but for a joined
	// file, which is of all.
	sums map[tree.Path]statestore.Sum
	from map[tree.Path]*projection
	// joined is the one file of mode aggregatedYAML, as far as it is of placements with
	// records; apart are its other parts.
	joined []tree.File
	apart  []statestore.Outgoing
	// recent is what was unpacked last: a placement's files are asked for one by one.
	recent struct {
		of        *projection
		rendering layout.Rendering
	}
}

// joins reports whether a path is that of the joined file.
func (o *overlay) joins(path tree.Path) bool {
	return slices.ContainsFunc(o.joined, func(f tree.File) bool { return f.Path == path })
}

// placementAt returns the WorkPlacement that a file is of; nil if it is of many, or not
// of the overlay.
func (o *overlay) placementAt(path tree.Path) *kratix.WorkPlacement {
	if o == nil || o.from[path] == nil {
		return nil
	}
	return o.from[path].placement
}

// projection is what one WorkPlacement puts there. Contents are made anew when they
// are asked for: a WorkPlacement has them, packed.
type projection struct {
	placement *kratix.WorkPlacement
	sums      map[tree.Path]statestore.Sum
	// name is what WorkPlacements of its group are named, whatever it is named itself;
	// empty if it has no record.
	name string
	// record is where the record lies; the root if it has none.
	record tree.Path
	// listed are the files that Kratix lists in mode none.
	listed []tree.Path
}

// newOverlay lays the placements of a Destination out; before is what was laid out
// there in the last round, nil for nothing, and lists what the store has among the
// records now.
func newOverlay(ctx context.Context, d *kratix.Destination, placements []*kratix.WorkPlacement, before *overlay, lists statestore.Files, contents statestore.Contents) (*overlay, error) {
	made := &overlay{
		destination: d, placements: placements, lists: lists, projections: make(map[*kratix.WorkPlacement]*projection, len(placements)),
		sums: map[tree.Path]statestore.Sum{}, from: map[tree.Path]*projection{},
	}
	isSame := before != nil && before.destination == d
	names := recordNames(placements)
	var parts []layout.Part
	for _, p := range placements {
		var known *projection
		if isSame && d.FilepathMode() == kratix.NestedByMetadata {
			known = before.projections[p]
		}
		if known == nil || known.name != names[p] {
			var err error
			if known, err = project(ctx, d, p, names[p], lists, contents); err != nil {
				return nil, err
			}
		}
		made.projections[p] = known
		if d.FilepathMode() == kratix.AggregatedYAML {
			rendering, _ := layout.Render(d, p)
			part := layout.Part{Placement: p, Files: rendering.Files}
			if !known.record.IsRoot() {
				parts = append(parts, part)
			} else {
				made.addApart(part)
			}
		}
		for path, sum := range known.sums {
			made.sums[path], made.from[path] = sum, known
		}
	}
	made.joined = layout.Join(parts)
	for _, file := range made.joined {
		made.sums[file.Path] = contents.Sum(file.Content)
	}
	return made, nil
}

// addApart takes in a part of a joined file that is of no record.
func (o *overlay) addApart(part layout.Part) {
	for _, file := range layout.Join([]layout.Part{part}) {
		o.apart = append(o.apart, statestore.Outgoing{File: file, Object: kratix.Describe(part.Placement), Stays: true})
	}
}

// recordNames returns what the WorkPlacements of a Destination are named in records: as
// this program names those of their groups. Of several of one group only one has a
// record, and one that names no Work has none.
func recordNames(placements []*kratix.WorkPlacement) map[*kratix.WorkPlacement]string {
	names := make(map[*kratix.WorkPlacement]string, len(placements))
	taken := make(map[kratix.Key]bool, len(placements))
	for _, named := range []bool{true, false} { // those that are named so come first
		for _, p := range placements {
			if p.Labels[kratix.WorkLabel] == "" {
				continue
			}
			name := kratix.PlacementName(p.Work().Name, p.Spec.TargetDestinationName, p.Spec.ID)
			if key := (kratix.Key{Namespace: p.Namespace, Name: name}); (p.Name == name) == named && !taken[key] {
				names[p], taken[key] = name, true
			}
		}
	}
	return names
}

// leave returns heirs a record of what the lists of others say that the store has.
func (o *overlay) leave(ctx context.Context, heirs []Heir, contents statestore.Contents) error {
	o.heirs = heirs
	for _, h := range heirs {
		old := projection{placement: h.Of}
		if err := old.readList(ctx, o.destination, o.lists, contents); err != nil {
			return err
		}
		bare := *h.WorkPlacement
		bare.Spec.Workloads = nil // it is not there
		made := &projection{placement: &bare, name: bare.Name, listed: old.listed, sums: map[tree.Path]statestore.Sum{}}
		path, err := layout.RecordPath(o.destination, &bare)
		if err != nil || len(old.listed) == 0 {
			continue
		}
		if known := o.from[path]; known != nil { // one of its name is there
			made = known
			made.listed = old.listed
		}
		rendering, _ := layout.Render(o.destination, made.placement)
		if record, ok := made.recordIn(o.destination, rendering); ok {
			made.record, made.sums[path] = path, contents.Sum(record.Content)
			o.sums[path], o.from[path] = made.sums[path], made
		}
	}
	return nil
}

// project lays one WorkPlacement out, whose record names it so. Files that cannot be
// decoded are left out, as Kratix cannot write them either.
func project(ctx context.Context, d *kratix.Destination, p *kratix.WorkPlacement, name string, lists statestore.Files, contents statestore.Contents) (*projection, error) {
	made := &projection{placement: p, name: name, sums: map[tree.Path]statestore.Sum{}}
	if err := made.readList(ctx, d, lists, contents); err != nil {
		return nil, err
	}
	rendering, _ := layout.Render(d, p)
	if !rendering.Joined {
		for _, file := range rendering.Files {
			made.sums[file.Path] = contents.Sum(file.Content)
		}
	}
	if record, ok := made.recordIn(d, rendering); ok {
		made.record = record.Path
		made.sums[record.Path] = contents.Sum(record.Content)
	}
	return made, nil
}

// readList reads what Kratix lists for a placement in mode none: what it has written
// and does not want any more is still the placement's.
func (m *projection) readList(ctx context.Context, d *kratix.Destination, lists statestore.Files, contents statestore.Contents) error {
	path, err := layout.FlatRecordPath(d, m.placement)
	if err != nil || d.FilepathMode() != kratix.None || !lists.Has(path) {
		return nil //nolint:nilerr // without a path there is no list
	}
	content, err := contents.Content(ctx, path)
	if err != nil {
		return fmt.Errorf("read the list %s: %w", path, err)
	}
	if record, err := layout.ParseRecord(content); err == nil { // what is no list lists nothing
		m.listed = record.Files
	}
	return nil
}

// recordIn returns the record of the placement, if it has one.
func (m *projection) recordIn(d *kratix.Destination, rendering layout.Rendering) (tree.File, bool) {
	p := m.placement
	if m.name == "" {
		return tree.File{}, false
	}
	if p.Name != m.name {
		p = p.DeepCopy()
		p.Name = m.name
	}
	written := map[tree.Path]bool{}
	for _, file := range rendering.Files {
		written[file.Path] = true
	}
	rendering.Files = slices.Clip(rendering.Files)
	for _, path := range m.listed {
		if !written[path] {
			rendering.Files = append(rendering.Files, layout.File{File: tree.File{Path: path}})
		}
	}
	record, err := layout.NewRecord(d, p, rendering)
	return record, err == nil
}

// content returns a file of the overlay.
func (o *overlay) content(path tree.Path) ([]byte, error) {
	for _, file := range o.joined {
		if file.Path == path {
			return file.Content, nil
		}
	}
	if of := o.from[path]; of != nil {
		if o.recent.of != of {
			o.recent.of = of
			o.recent.rendering, _ = layout.Render(o.destination, of.placement)
		}
		rendering := o.recent.rendering
		if path == of.record {
			record, _ := of.recordIn(o.destination, rendering)
			return record.Content, nil
		}
		for _, file := range rendering.Files {
			if file.Path == path {
				return file.Content, nil
			}
		}
	}
	return nil, fmt.Errorf("no file %s", path)
}
