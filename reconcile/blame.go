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

type blamed struct {
	// guilty are the placements that certainly caused the failure.
	guilty []guilty
	// suspects are placements that may have caused the failure. The list is empty if guilty is not.
	suspects []report.Claimant
}

// guilty is a placement with the objects that the agent failed to apply, or the paths that the
// agent named.
type guilty struct {
	record  *recordView
	objects []agent.Object
	files   []tree.Path
}

func (b *blamed) failing() []report.Claimant {
	var failing []report.Claimant
	for _, one := range b.guilty {
		failing = append(failing, claimantOf(one.record.Placement))
	}
	return failing
}

func (d *delivering) blame(ctx context.Context, state agent.State) blamed {
	then := d.find(state.Failure.Revision)
	if then == nil {
		return blamed{}
	}
	var suspects []report.Claimant
	if before := d.find(state.Applied.Revision); before != nil {
		suspects = d.changes(before.files, then.files)
	}
	found, certain := d.holders(ctx, then, state.Failure.Objects)
	if len(found) == 0 {
		found, certain = d.listing(state.Failure.Files)
	}
	all := blamed{guilty: found}
	switch {
	case certain:
		return all
	case len(found) > 0:
		return blamed{suspects: all.failing()}
	}
	return blamed{suspects: suspects}
}

// holders returns the placements that have some of the objects at a revision. certain means that
// objects were found, and that each of them belongs to one placement.
func (d *delivering) holders(ctx context.Context, then *pastState, objects []agent.Object) (holders []guilty, certain bool) {
	if len(objects) == 0 {
		return nil, false
	}
	owners := make([]int, len(objects))
	past := d.placementsAt(then)
	for i := range d.records {
		one := guilty{record: &d.records[i]}
		owned := map[int]bool{}
		for _, file := range past.plainFiles(ctx, one.record) {
			for _, object := range d.read.File(file.Content).Objects {
				at := slices.IndexFunc(objects, func(o agent.Object) bool { return isNamed(object.ID, o) })
				if at >= 0 {
					owned[at] = true
					one.objects = append(one.objects, objects[at])
				}
			}
		}
		for at := range owned {
			owners[at]++
		}
		if len(owned) > 0 {
			holders = append(holders, one)
		}
	}
	isShared := slices.ContainsFunc(owners, func(n int) bool { return n > 1 })
	return holders, len(holders) > 0 && !isShared
}

// listing returns the placements of the paths that the agent names. certain means that each path
// belongs to one placement.
func (d *delivering) listing(paths []string) (holders []guilty, certain bool) {
	certain = len(paths) > 0
	for _, name := range paths {
		path, isPath := d.resolve(name)
		records := d.owners().of(path)
		certain = certain && isPath && len(records) == 1
		for _, record := range records {
			at := slices.IndexFunc(holders, func(g guilty) bool { return g.record == record })
			if at < 0 {
				at, holders = len(holders), append(holders, guilty{record: record})
			}
			holders[at].files = append(holders[at].files, path)
		}
	}
	return holders, certain
}

// resolve returns the store path of a path that the agent names. The name is relative to the root
// or, with a leading slash, to the repository or bucket.
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

// isNamed reports whether id may be the object that an agent names.
func isNamed(id kustomize.ID, object agent.Object) bool {
	if id.Kind != object.Kind || id.Name != object.Name {
		return false
	}
	const unset = "default" // kustomize's namespace for custom resources without a namespace
	return id.Scope() == object.Namespace || object.Namespace == "" && id.Namespace == unset
}

func claimantOf(p *kratix.WorkPlacement) report.Claimant {
	return report.Claimant{Placement: kratix.KeyOf(p), Work: p.Work().String()}
}

type owners struct {
	files map[tree.Path][]*recordView
	dirs  map[tree.Path]*recordView
}

func (d *delivering) owners() *owners {
	if d.owned == nil {
		d.owned = newOwners(d.destinationView)
	}
	return d.owned
}

func newOwners(d *destinationView) *owners {
	o := &owners{files: map[tree.Path][]*recordView{}, dirs: map[tree.Path]*recordView{}}
	for i := range d.records {
		record := &d.records[i]
		for _, path := range record.Files {
			o.files[path] = append(o.files[path], record)
		}
		if dir := layout.DirOf(d.Destination, record.Placement); !dir.IsRoot() {
			o.dirs[dir] = record
		}
	}
	return o
}

// of returns the records that list a path, or else the placement whose directory contains the path.
func (o *owners) of(path tree.Path) []*recordView {
	if listed := o.files[path]; listed != nil {
		return listed
	}
	for dir := path; !dir.IsRoot(); dir = dir.Dir() {
		if owner, owned := o.dirs[dir]; owned {
			return []*recordView{owner}
		}
	}
	return nil
}
