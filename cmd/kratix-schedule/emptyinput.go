package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/policy"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

// reading contains the numbers of files and objects in the input of a check.
type reading struct {
	report.Reading
	grouped int
	// treeObjects is the number of checked objects in the tree.
	treeObjects int
	stores      int
	promises    []string
	idle        []string
	suspended   int
	tally       dir.Tally
	tree        bool
}

func (r reading) isEmpty() bool {
	if r.grouped > 0 || r.treeObjects > 0 || r.suspended > 0 {
		return false
	}
	if r.tree {
		return true
	}
	passed := r.tally.Unread + r.tally.Excluded + len(r.promises) + len(r.idle) + r.Works
	return passed > 0 || r.Destinations+r.stores == 0
}

// count counts the objects in a snapshot. It must be called before Destinations are assumed.
func (s *checkSource) count(snapshot source.Snapshot) {
	r := &s.read
	r.tally, r.tree = s.files.Tally(), s.stores.tree.given()
	r.Works = len(snapshot.Works)
	if len(s.stores.files) > 0 { // Destinations detected in a tree count too
		r.Destinations = len(snapshot.Destinations)
	}
	r.stores = len(snapshot.StateStores.All())
	r.Files = r.tally.Files + s.pipelineFiles + len(s.stores.files)
	for _, work := range snapshot.Works {
		if len(work.Spec.WorkloadGroups) > 0 {
			r.grouped++
		}
	}
	for _, promise := range snapshot.Promises {
		if !slices.ContainsFunc(snapshot.Works, func(w *kratix.Work) bool { return w.Spec.PromiseName == promise.Name }) {
			r.promises = append(r.promises, promise.Name)
		}
	}
	r.treeObjects = s.stores.countObjects(snapshot) + s.stores.inRoots
	r.Objects += r.treeObjects
}

func (s *checkStores) countObjects(snapshot source.Snapshot) int {
	tops := map[string]string{}
	for _, store := range snapshot.StateStores.All() {
		tops[kratix.Describe(store)] = store.Path()
	}
	count := 0
	for _, file := range s.files {
		below := slices.ContainsFunc(snapshot.Destinations, func(d *kratix.Destination) bool {
			top, known := tops[d.Spec.StateStoreRef.Object().String()]
			return known && isBelow(slashed(top, d.Spec.Path), file.Path.String())
		})
		if below && !isRecord(file.Path) {
			count += source.CountObjects(file.Path.Base(), file.Content)
		}
	}
	return count
}

func isBelow(top, path string) bool {
	top = strings.Trim(top, "/")
	return top == "" || top == "." || strings.HasPrefix(path, top+"/")
}

func (s *checkSource) nothingToCheck(f *validateFlags, result report.Report, outcome policy.Outcome) error {
	isOther := func(found finding.Finding) bool {
		return found.Rule.Severity == finding.Error && found.Rule != finding.UnsupportedVersion()
	}
	if f.allowEmpty || !s.read.isEmpty() || slices.ContainsFunc(outcome.Findings, isOther) || result.Has(finding.StoreFailed()) {
		return nil
	}
	parts := append(s.foundOnDisk(), s.foundInside(result.Findings)...)
	switch {
	case len(parts) == 0 && s.read.Files > 0:
		parts = []string{plural(s.read.Files, "file") + " without an object"}
	case len(parts) == 0:
		parts = []string{"no file ends in .yaml, .yml or .json"}
	}
	return exit{code: exitUsage, text: fmt.Sprintf("nothing to check: no Work in %s: %s; add a Work, or pass --allow-empty",
		s.inputNames(), strings.Join(parts, "; "))}
}

func (s *checkSource) inputNames() string {
	names := append(slices.Clone(s.files.Paths), s.pipelines...)
	if s.stores.tree.dir != "" {
		names = append(names, "--tree "+s.stores.tree.dir)
	}
	if s.stores.tree.repo != "" {
		names = append(names, "--repo") // the URL of the repository may contain a password
	}
	const most = 3
	if more := len(names) - most; more > 0 {
		names = append(names[:most:most], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

func (s *checkSource) foundOnDisk() []string {
	var parts []string
	for _, path := range s.files.Paths {
		clean := filepath.Clean(path)
		if slices.Contains([]string{"input", "output", "metadata"}, filepath.Base(clean)) {
			clean = filepath.Dir(clean)
		}
		if isPipeline(clean) {
			parts = append(parts, fmt.Sprintf("%s has the directories of a pipeline, use --pipeline %s --promise NAME", clean, clean))
		}
	}
	if n := s.read.tally.Unread; n > 0 && len(parts) == 0 {
		verb := "are"
		if n == 1 {
			verb = "is"
		}
		parts = append(parts, fmt.Sprintf("%s %s not read, add -R", plural(n, "sub-directory"), verb))
	}
	if n := s.read.tally.Excluded; n > 0 {
		parts = append(parts, plural(n, "path")+" left out by --exclude")
	}
	for _, path := range s.files.Paths {
		if entries, err := os.ReadDir(path); err == nil && len(entries) == 0 {
			parts = append(parts, path+" is an empty directory")
		}
	}
	return parts
}

func (s *checkSource) foundInside(findings []finding.Finding) []string {
	var parts []string
	others, versions := 0, 0
	for _, f := range findings {
		switch f.Rule {
		case finding.IgnoredObject():
			others++
		case finding.UnsupportedVersion():
			versions++
		}
	}
	add := func(n int, format string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, n))
		}
	}
	add(versions, "%d of another version of platform.kratix.io, use v1alpha1")
	add(others, "%d of other kinds, check plain manifests with --tree")
	if !s.read.tree {
		add(s.read.Destinations, "%d of kind Destination, add Works")
		add(s.read.stores, "%d of the kinds of state stores, add Works")
	}
	add(s.read.Works, "%d of kind Work without workloadGroups, run the pipeline again")
	for _, name := range s.read.promises {
		parts = append(parts, "Promise "+name+" has no dependencies, add --pipeline")
	}
	parts = append(parts, s.read.idle...)
	switch {
	case s.stores.tree.given() && len(s.stores.files) == 0:
		parts = append(parts, "the tree has no files")
	case s.stores.tree.given():
		parts = append(parts, "the tree has no manifest below the path of a Destination")
	}
	return parts
}

func plural(n int, noun string) string { return report.Plural(n, noun) }
