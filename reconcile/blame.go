package reconcile

import (
	"context"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// blame returns the placements with the objects that the agent has failed on. If that is not
// certain, suspects are the placements that may have them: those that have changed since the
// last applied revision.
func (d *delivering) blame(ctx context.Context, state agent.State) (failing, suspects []report.Claimant) {
	then := d.past.find(state.Failure.Revision)
	if then == nil {
		return nil, nil
	}
	if before := d.past.find(state.Applied.Revision); before != nil {
		suspects = d.changes(before.files, then.files)
	}
	holders, certain := d.holders(ctx, then, state.Failure.Objects)
	if len(holders) == 0 {
		holders, certain = d.listing(state.Failure.Files)
	}
	switch {
	case !certain && len(holders) > 0:
		return nil, holders
	case !certain:
		return nil, suspects
	}
	return holders, nil
}

// holders returns the placements, in order, that have some of the objects at a revision. certain
// is false unless each object that is found belongs to one placement only, and one is found.
func (d *delivering) holders(ctx context.Context, then *pastState, objects []agent.Object) (holders []report.Claimant, certain bool) {
	if len(objects) == 0 {
		return nil, false
	}
	found := make([][]report.Claimant, len(objects))
	for i := range d.records {
		record := &d.records[i]
		for _, content := range d.plainFiles(ctx, then, record) {
			for _, object := range d.read.File(content).Objects {
				at := slices.IndexFunc(objects, func(o agent.Object) bool { return isNamed(object.ID, o) })
				if owner := claimantOf(record.Placement); at >= 0 && !slices.Contains(found[at], owner) {
					found[at] = append(found[at], owner)
				}
			}
		}
	}
	certain = true
	for _, owners := range found {
		certain = certain && len(owners) <= 1
		for _, owner := range owners {
			if !slices.Contains(holders, owner) {
				holders = append(holders, owner)
			}
		}
	}
	return holders, certain && len(holders) > 0
}

// listing returns the placements, in order, that have the files, or files in the directories, that
// the agent names. certain is false unless each path belongs to one placement only.
func (d *delivering) listing(paths []string) (holders []report.Claimant, certain bool) {
	certain = len(paths) > 0
	for _, name := range paths {
		path, isPath := d.resolve(name)
		owner := d.owners().of(path)
		certain = certain && isPath && len(owner) == 1
		for _, one := range owner {
			if !slices.Contains(holders, one) {
				holders = append(holders, one)
			}
		}
	}
	return holders, certain
}

// resolve returns the path in the store of a path that the agent names: relative to the root or,
// with a slash at its beginning, to the repository or bucket.
func (d *delivering) resolve(name string) (path tree.Path, ok bool) {
	path, err := tree.ParsePath(strings.TrimPrefix(name, "/"))
	if err != nil {
		return path, false
	}
	if !strings.HasPrefix(name, "/") {
		return d.root.Join(path), true
	}
	return path.RelativeTo(d.store.location(tree.Path{}).Dir)
}

// plainFiles returns the contents of the files of a placement in the root at a revision. It
// returns none for a placement with a kustomization: what that builds has other names.
func (d *delivering) plainFiles(ctx context.Context, then *pastState, record *recordView) [][]byte {
	if slices.ContainsFunc(record.Files, kustomize.IsKustomization) {
		return nil
	}
	var contents [][]byte
	for _, path := range slices.Compact(slices.Clone(record.Files)) {
		if !path.Within(d.root) || !then.files.Has(path) {
			continue
		}
		content, err := d.past.content(ctx, then, path)
		if err != nil {
			continue // it was replaced since
		}
		if record.Joined {
			content = d.partsOf(content)[record.Placement]
		}
		contents = append(contents, content)
	}
	return contents
}

// partsOf returns the parts of a joined file; none if the file cannot be divided.
func (d *delivering) partsOf(whole []byte) map[*kratix.WorkPlacement][]byte {
	if d.parts == nil {
		d.parts = splitParts(whole, d.records)
	}
	return d.parts
}

// isNamed reports whether an agent that names an object may mean the one with an id. Agents
// leave out the API group.
func isNamed(id kustomize.ID, object agent.Object) bool {
	if id.Kind != object.Kind || id.Name != object.Name {
		return false
	}
	const unset = "default" // a cluster-scoped custom resource seems to be in this namespace
	return id.Scope() == object.Namespace || object.Namespace == "" && id.Namespace == unset
}

// claimantOf returns a placement with its Work.
func claimantOf(p *kratix.WorkPlacement) report.Claimant {
	return report.Claimant{Placement: kratix.KeyOf(p), Work: p.Work().String()}
}

// owners finds the placement that a path belongs to.
type owners struct {
	files map[tree.Path][]report.Claimant
	dirs  map[tree.Path]report.Claimant
}

// owners returns the owners of the files in the directory of the Destination.
func (d *delivering) owners() *owners {
	if d.owned == nil {
		d.owned = newOwners(d.destinationView)
	}
	return d.owned
}

// newOwners returns the owners of the files in the directory of a Destination.
func newOwners(d *destinationView) *owners {
	o := &owners{files: map[tree.Path][]report.Claimant{}, dirs: map[tree.Path]report.Claimant{}}
	for i := range d.records {
		p := d.records[i].Placement
		for _, path := range d.records[i].Files {
			o.files[path] = append(o.files[path], claimantOf(p))
		}
		if dir := layout.DirOf(d.Destination, p); !dir.IsRoot() {
			o.dirs[dir] = claimantOf(p)
		}
	}
	return o
}

// of returns the placements whose records list a path. A path that none lists belongs to the
// placement in whose directory it is: it was removed, or is a directory.
func (o *owners) of(path tree.Path) []report.Claimant {
	if listed := o.files[path]; listed != nil {
		return listed
	}
	for dir := path; !dir.IsRoot(); dir = dir.Dir() {
		if owner, owned := o.dirs[dir]; owned {
			return []report.Claimant{owner}
		}
	}
	return nil
}
