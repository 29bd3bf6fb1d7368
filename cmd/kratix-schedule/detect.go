package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/source"
)

const treeStore = "tree"

const recordsDir = ".kratix"

// addTree adds the tree to the check, as the content of the stores or as a Flux repository.
func (s *checkStores) addTree(ctx context.Context, snapshot *source.Snapshot, at *locator, std streams, notices io.Writer) error {
	if !s.tree.given() {
		return nil
	}
	if err := s.load(ctx); err != nil {
		return err
	}
	if done, err := s.addFluxTree(ctx, snapshot, std, notices); done || err != nil {
		return err
	}
	if len(snapshot.Destinations) == 0 {
		s.detect(snapshot)
	}
	if len(snapshot.Works) == 0 {
		s.filesOnly = true
		s.files = slices.DeleteFunc(s.files, func(f tree.File) bool { return isRecord(f.Path) })
	}
	for _, file := range s.files {
		record, err := layout.ParseRecord(file.Content)
		if !isRecord(file.Path) || err != nil || record.Placement == nil {
			continue
		}
		key := record.Placement.Work()
		known := slices.ContainsFunc(snapshot.Works, func(w *kratix.Work) bool { return kratix.KeyOf(w) == key })
		if !known && !slices.Contains(snapshot.Rejected, key) {
			snapshot.Rejected = append(snapshot.Rejected, key)
		}
	}
	s.placeStores(*snapshot, at)
	return nil
}

func (s *checkStores) placeStores(snapshot source.Snapshot, at *locator) {
	for _, store := range snapshot.StateStores.All() {
		at.dirs[kratix.Describe(store)] = slashed(s.tree.dir, store.Path())
	}
}

func isRecord(p tree.Path) bool {
	_, is := layout.RecordBase(p)
	return is
}

// detect finds the Destinations of a tree by its directories.
func (s *checkStores) detect(snapshot *source.Snapshot) {
	modes := s.modes()
	if len(modes) == 0 {
		modes[""] = kratix.None
	}
	for _, dir := range slices.Sorted(maps.Keys(modes)) {
		if insideAnother(dir, modes) {
			continue
		}
		snapshot.Destinations = append(snapshot.Destinations, s.destination(dir, modes[dir]))
	}
	addStore(snapshot, treeStore)
	for _, d := range snapshot.Destinations {
		snapshot.Origins = snapshot.Origins.With(d, finding.Place{File: slashed(s.tree.dir, d.Spec.Path)})
	}
}

func (s *checkStores) isLaidOut() bool { return len(s.modes()) > 0 }

func (s *checkStores) modes() map[string]string {
	modes := map[string]string{}
	for _, file := range s.files {
		segments := strings.Split(file.Path.String(), "/")
		for i, segment := range segments[:len(segments)-1] {
			dir := strings.Join(segments[:i], "/")
			switch {
			case segment == "dependencies" || segment == "resources":
				modes[dir] = kratix.NestedByMetadata
			case segment == recordsDir && modes[dir] == "":
				modes[dir] = kratix.None
			}
		}
	}
	return modes
}

func insideAnother(dir string, all map[string]string) bool {
	for other := range all {
		if other != dir && (other == "" || strings.HasPrefix(dir, other+"/")) {
			return true
		}
	}
	return false
}

func (s *checkStores) destination(dir, mode string) *kratix.Destination {
	d := &kratix.Destination{}
	d.Name, d.Spec.Path = strings.ReplaceAll(dir, "/", "-"), dir
	if dir == "" {
		d.Name, d.Spec.Path = baseName(s.tree.dir), "."
	}
	d.Spec.Filepath.Mode = mode
	d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: treeStore}
	return d
}

// addPlacements adds the records of WorkPlacements to the stores, and missing Works and
// Destinations to the snapshot.
func (s *checkStores) addPlacements(snapshot *source.Snapshot) error {
	works := map[kratix.Key]*kratix.Work{}
	for _, placement := range snapshot.WorkPlacements {
		key := placement.Work()
		if key.Name == "" {
			continue // a finding reports the missing name of the Work
		}
		takesPart(snapshot, placement)
		if i := slices.IndexFunc(snapshot.Works, func(w *kratix.Work) bool { return kratix.KeyOf(w) == key }); i < 0 {
			work := workOf(placement)
			works[key] = work
			snapshot.Add(work, snapshot.Origins.Of(placement))
		} else if works[key] != nil && !hasGroup(works[key], placement.Spec.ID) {
			works[key].Spec.WorkloadGroups = append(works[key].Spec.WorkloadGroups, groupOf(placement))
		}
	}
	addTargets(snapshot)
	for _, placement := range snapshot.WorkPlacements {
		if err := s.seed(snapshot, placement); err != nil {
			return err
		}
	}
	return nil
}

func workOf(p *kratix.WorkPlacement) *kratix.Work {
	work := kratix.NewWork()
	work.Name, work.Namespace, work.CreationTimestamp = p.Work().Name, p.Namespace, p.CreationTimestamp
	work.Labels = map[string]string{}
	if pipeline := p.Pipeline(); pipeline != "" {
		work.Labels[kratix.PipelineNameLabel] = pipeline
	}
	work.Spec = kratix.WorkSpec{
		PromiseName: p.Spec.PromiseName, ResourceName: p.Spec.ResourceName, WorkloadGroups: []kratix.WorkloadGroup{groupOf(p)},
	}
	return work
}

func groupOf(p *kratix.WorkPlacement) kratix.WorkloadGroup {
	group := kratix.WorkloadGroup{ID: p.Spec.ID, Directory: kratix.DefaultDirectory, Workloads: p.Spec.Workloads}
	for _, workload := range p.Spec.Workloads {
		if dir, _, ok := strings.Cut(workload.Filepath, "/"); ok && kratix.GroupID(dir) == p.Spec.ID {
			group.Directory = dir
		}
	}
	return group
}

func hasGroup(w *kratix.Work, id string) bool {
	return slices.ContainsFunc(w.Spec.WorkloadGroups, func(g kratix.WorkloadGroup) bool { return g.ID == id })
}

func addTargets(snapshot *source.Snapshot) {
	if len(snapshot.Destinations) > 0 {
		return
	}
	names := map[string]bool{}
	for _, placement := range snapshot.WorkPlacements {
		if target := placement.Spec.TargetDestinationName; target != "" && placement.Work().Name != "" {
			names[target] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		d := &kratix.Destination{}
		d.Name = name
		d.Spec.StateStoreRef = &kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: treeStore}
		snapshot.Destinations = append(snapshot.Destinations, d)
	}
	if len(names) > 0 {
		addStore(snapshot, treeStore)
	}
}

func (s *checkStores) seed(snapshot *source.Snapshot, p *kratix.WorkPlacement) error {
	i := slices.IndexFunc(snapshot.Destinations, func(d *kratix.Destination) bool { return d.Name == p.Spec.TargetDestinationName })
	if i < 0 || p.Work().Name == "" {
		return nil
	}
	destination := snapshot.Destinations[i]
	rendering, _ := layout.Render(destination, p) // errors are reported when the Work is placed
	record, err := layout.NewRecord(destination, p, rendering)
	if err != nil {
		return fmt.Errorf("WorkPlacement %s: %w", kratix.KeyOf(p), err)
	}
	if s.seeds == nil {
		s.seeds = map[kratix.StateStoreReference][]tree.File{}
	}
	ref := *destination.Spec.StateStoreRef
	s.seeds[ref] = append(s.seeds[ref], record)
	return nil
}
