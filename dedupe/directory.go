package dedupe

import (
	"errors"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

type fileSet struct {
	of *claimant
	// claim is an empty claim if the files are foreign.
	claim *Claim
	files []File
	// stored means that the files are the stored files of the claim.
	stored bool
	// parsed is the result of parsing the files for the index, or nil.
	parsed      *parsedClaim
	plain       []File
	directories []*directory
}

// directory is a directory with a kustomization of its own, in the files of one claim or in the
// foreign files.
type directory struct {
	of    *claimant
	path  tree.Path
	place finding.Place
	// stored means that the directory is in the stored files of the claim.
	stored bool
	// built is the result of kustomize's build among all wanted files.
	built kustomize.Nested
	err   error
	// skipped means that the directory was not built, because another directory of the claim
	// exceeds the limits.
	skipped bool
}

func (s *fileSet) split(root *Root, hiding map[tree.Path]bool, wantedTree func() []tree.File) {
	if s.parsed != nil {
		return
	}
	s.plain = slices.DeleteFunc(slices.Clone(s.files), func(f File) bool { return root.Ignored.Has(f.Path) || hiding[f.Path] })
	if !slices.ContainsFunc(s.plain, func(f File) bool { return kustomize.IsKustomization(f.Path) }) {
		return
	}
	files := make([]tree.File, 0, len(s.plain))
	for _, file := range s.plain {
		files = append(files, root.relative(file))
	}
	var exceeded error
	for _, unit := range kustomize.Units(files) {
		if !unit.Nested {
			continue
		}
		dir := root.Path.Join(unit.Path)
		at := slices.IndexFunc(s.plain, func(f File) bool { return f.Path.Dir() == dir && kustomize.IsKustomization(f.Path) })
		d := &directory{of: s.of, path: unit.Path, place: s.plain[at].Place, stored: s.stored, err: exceeded, skipped: exceeded != nil}
		if !d.skipped {
			d.built, d.err = root.Cache.Nested(root.Path, d.path, wantedTree())
		}
		if d.of != nil && !d.stored && kustomize.IsBounds(d.err) {
			exceeded = d.err
		}
		s.directories = append(s.directories, d)
	}
	s.plain = slices.DeleteFunc(s.plain, func(f File) bool {
		path := root.relativePath(f.Path)
		return slices.ContainsFunc(s.directories, func(d *directory) bool { return path.Within(d.path) })
	})
}

func (d *directory) objects(root *Root, all []*directory, wantedTree func() []tree.File, found *fileFindings) []*entry {
	if d.skipped {
		return nil
	}
	if d.err != nil && found != nil {
		found.broken = append(found.broken, d.unbuildable(root, d.err, d.quote(root, all, wantedTree)))
	}
	dir := root.Path.Join(d.path)
	entries := make([]*entry, 0, len(d.built.Objects))
	for i, object := range d.built.Objects {
		found.addObject(root, d.of, object, dir.String()+"/", d.place)
		entries = append(entries, newObject(d.of, object, dir, d.place, i+1))
	}
	return entries
}

// unbuildable returns the finding about a directory that Flux cannot build. flux is Flux's message.
func (d *directory) unbuildable(root *Root, err error, flux string) finding.Finding {
	if errors.Is(err, kustomize.ErrRemote) {
		return finding.Finding{Rule: finding.UncheckedKustomization(), Place: d.place, Message: err.Error()}
	}
	message := fmt.Sprintf("Flux could not build %s with the kustomization in %s", root.Path, d.path)
	if kustomize.IsBounds(err) {
		message = fmt.Sprintf("whether Flux could build %s with the kustomization in %s is not known: %s", root.Path, d.path, oneLine(err))
	}
	return finding.Finding{
		Rule: finding.UnbuildableKustomization(), Place: d.place, Fix: foreignFix(d.of, root.Path.Join(d.path).String()+"/"), Message: message, Flux: flux,
	}
}

// quote returns Flux's message about a directory that it cannot build.
func (d *directory) quote(root *Root, all []*directory, wantedTree func() []tree.File) string {
	if kustomize.IsBounds(d.err) || errors.Is(d.err, kustomize.ErrRemote) {
		return "" // the build would exceed its limits again, or load remote resources
	}
	return oneLine(root.Cache.Units(root.Path, unitsUpTo(root, d.path, all), wantedTree()))
}

// unitsUpTo returns, in walk order, last, the other units, and the wanted directories before last
// that can be built.
func unitsUpTo(root *Root, last tree.Path, all []*directory, others ...tree.Path) []tree.Path {
	units := append(others, last)
	for _, d := range all {
		if tree.Compare(d.path, last) < 0 && d.err == nil && d.isWanted(root) {
			units = append(units, d.path)
		}
	}
	slices.SortFunc(units, tree.Compare)
	return slices.Compact(units)
}

func (d *directory) isWanted(root *Root) bool {
	return d.of == nil || d.stored == root.Claims[d.of.at].Kept
}

func (d *directory) owner(root *Root) string {
	if d.of == nil {
		return "a directory in the store that belongs to no placement"
	}
	return root.Claims[d.of.at].Owner
}
