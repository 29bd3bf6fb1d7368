package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// formerFixtures returns the canaries and placeholders of the filepath modes in
// which the Destination was laid out, where its own mode has none.
func (dest *desiredDestination) formerFixtures() []tree.File {
	var former []tree.File
	for _, mode := range dest.formerModes() {
		for _, fixture := range fixturesIn(dest.Destination, mode) {
			if !slices.ContainsFunc(dest.fixtures, func(f tree.File) bool { return f.Path == fixture.Path }) {
				former = append(former, fixture)
			}
		}
	}
	return former
}

// formerModes returns the other filepath modes in which something on the Destination
// is laid out.
func (dest *desiredDestination) formerModes() []string {
	var modes []string
	add := func(mode string) {
		if mode != dest.FilepathMode() && !slices.Contains(modes, mode) {
			modes = append(modes, mode)
		}
	}
	for _, record := range dest.records {
		add(record.mode)
	}
	if dest.formerMode != "" {
		add(dest.formerMode)
	}
	return modes
}

// outdated returns the files that records of another layout list.
func (dest *desiredDestination) outdated() []tree.Path {
	if !dest.relayout {
		return nil
	}
	var files []tree.Path
	if dest.FilepathMode() != kratix.None {
		for path, listed := range dest.legacy {
			files = append(append(files, path), listed...)
		}
	}
	for i := range dest.records {
		if record := &dest.records[i]; dest.isOutdated(record) {
			files = append(files, record.Files...)
		}
	}
	return files
}

// layOutWhole leaves a Destination as it is that is to be laid out anew while any of
// its placements cannot be written: half of it in each layout would not build.
func (dest *desiredDestination) layOutWhole() {
	at := slices.IndexFunc(dest.placements, func(p *desiredPlacement) bool { return !p.writable() && dest.recordOf(p) != nil })
	if !dest.relayout || at < 0 {
		return
	}
	why := dest.placements[at].object() + " cannot be written"
	dest.findings = append(dest.findings, finding.Finding{
		Rule: finding.FilepathModeChanged(), Place: finding.Place{Object: kratix.Describe(dest.Destination)},
		Message: "it cannot be laid out anew while " + why + "; it is left as it is",
		Fix:     "Correct what holds that placement back.",
	})
	dest.fixtures, dest.retired, dest.removed, dest.left = nil, nil, nil, true
	for _, p := range dest.placements {
		if p.writable() {
			p.state, p.reason = report.Held, "the Destination is not laid out anew yet: "+why
		}
	}
}
