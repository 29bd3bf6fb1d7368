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

// overlay contains the files that the WorkPlacements of one Destination will have in its store,
// including records.
type overlay struct {
	destination *kratix.Destination
	placements  []*kratix.WorkPlacement
	implied     []ImpliedPlacement
	// records is the directory of the records, and lists are the stored files in this directory.
	records     tree.Path
	lists       statestore.Files
	projections map[*kratix.WorkPlacement]*projection
	// digests contains the digests of all files. from maps the files to their projections, without
	// the joined file.
	digests map[tree.Path]statestore.Digest
	from    map[tree.Path]*projection
	// joined is the joined file with the parts of the placements that have a record. separate are
	// the other parts.
	joined   []tree.File
	separate []statestore.Outgoing
	// recent caches the last decoded placement.
	recent struct {
		of        *projection
		rendering layout.Rendering
	}
}

func (o *overlay) joins(path tree.Path) bool {
	return slices.ContainsFunc(o.joined, func(f tree.File) bool { return f.Path == path })
}

// placementAt returns the WorkPlacement to which a file belongs, or nil if there are none or
// several.
func (o *overlay) placementAt(path tree.Path) *kratix.WorkPlacement {
	if o == nil || o.from[path] == nil {
		return nil
	}
	return o.from[path].placement
}

// projection contains the paths and digests of the files of one WorkPlacement.
type projection struct {
	placement *kratix.WorkPlacement
	digests   map[tree.Path]statestore.Digest
	// name is the name of the placement in its record. It is empty if the placement has no record.
	name   string
	record tree.Path
	// listed are the files in Kratix's list of the files of the placement, in mode none.
	listed []tree.Path
}

func newOverlay(ctx context.Context, d *kratix.Destination, placements []*kratix.WorkPlacement, before *overlay, lists statestore.Files, contents statestore.Contents) (*overlay, error) {
	made := &overlay{
		destination: d, placements: placements, lists: lists, projections: make(map[*kratix.WorkPlacement]*projection, len(placements)),
		digests: map[tree.Path]statestore.Digest{}, from: map[tree.Path]*projection{},
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
				made.addSeparate(part)
			}
		}
		for path, sum := range known.digests {
			made.digests[path], made.from[path] = sum, known
		}
	}
	made.joined = layout.Join(parts)
	for _, file := range made.joined {
		made.digests[file.Path] = contents.Digest(file.Content)
	}
	return made, nil
}

func (o *overlay) addSeparate(part layout.Part) {
	for _, file := range layout.Join([]layout.Part{part}) {
		o.separate = append(o.separate, statestore.Outgoing{File: file, Object: kratix.Describe(part.Placement), Stays: true})
	}
}

// recordNames returns the names that WorkPlacements have in their records. A WorkPlacement without
// a record has no name.
func recordNames(placements []*kratix.WorkPlacement) map[*kratix.WorkPlacement]string {
	names := make(map[*kratix.WorkPlacement]string, len(placements))
	taken := make(map[kratix.Key]bool, len(placements))
	for _, named := range []bool{true, false} { // WorkPlacements with the name that Kratix generates take precedence
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

func (o *overlay) addImplied(ctx context.Context, implied []ImpliedPlacement, contents statestore.Contents) error {
	o.implied = implied
	for _, h := range implied {
		old := projection{placement: h.Of}
		if err := old.readList(ctx, o.destination, o.lists, contents); err != nil {
			return err
		}
		bare := *h.WorkPlacement
		bare.Spec.Workloads = nil // a WorkPlacement that does not exist has no contents
		made := &projection{placement: &bare, name: bare.Name, listed: old.listed, digests: map[tree.Path]statestore.Digest{}}
		path, err := layout.RecordPath(o.destination, &bare)
		if err != nil || len(old.listed) == 0 {
			continue
		}
		if known := o.from[path]; known != nil { // there is a WorkPlacement with this name
			made = known
			made.listed = old.listed
		}
		rendering, _ := layout.Render(o.destination, made.placement)
		if record, ok := made.recordIn(o.destination, rendering); ok {
			made.record, made.digests[path] = path, contents.Digest(record.Content)
			o.digests[path], o.from[path] = made.digests[path], made
		}
	}
	return nil
}

// project returns the projection of a WorkPlacement. name is the name in its record. Files that
// cannot be decoded are omitted, because Kratix cannot write them.
func project(ctx context.Context, d *kratix.Destination, p *kratix.WorkPlacement, name string, lists statestore.Files, contents statestore.Contents) (*projection, error) {
	made := &projection{placement: p, name: name, digests: map[tree.Path]statestore.Digest{}}
	if err := made.readList(ctx, d, lists, contents); err != nil {
		return nil, err
	}
	rendering, _ := layout.Render(d, p)
	if !rendering.Joined {
		for _, file := range rendering.Files {
			made.digests[file.Path] = contents.Digest(file.Content)
		}
	}
	if record, ok := made.recordIn(d, rendering); ok {
		made.record = record.Path
		made.digests[record.Path] = contents.Digest(record.Content)
	}
	return made, nil
}

// readList reads Kratix's list of the files of the placement, in mode none.
func (m *projection) readList(ctx context.Context, d *kratix.Destination, lists statestore.Files, contents statestore.Contents) error {
	path, err := layout.FlatRecordPath(d, m.placement)
	if err != nil || d.FilepathMode() != kratix.None || !lists.Has(path) {
		return nil //nolint:nilerr // without a valid path, there is no list
	}
	content, err := contents.Content(ctx, path)
	if err != nil {
		return fmt.Errorf("read the list %s: %w", path, err)
	}
	if record, err := layout.ParseRecord(content); err == nil { // an invalid list counts as empty
		m.listed = record.Files
	}
	return nil
}

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
