package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
)

// returnShared adds removed placements with shared objects to the candidates. They may be removed
// if other placements take over these objects.
func (c *checked) returnShared() {
	for i := range c.removed {
		if record := &c.removed[i]; len(record.Shared) > 0 && !c.isRemovedWithFiles() {
			c.candidates = append(c.candidates, &candidate{placement: *keep(c.Destination, record.Placement, ""), leaving: record})
		}
	}
}

// releaseShared drops the candidates that returnShared added and that may be removed. The others
// stay.
func (c *checked) releaseShared() {
	kept := map[*kratix.WorkPlacement]bool{}
	c.candidates = slices.DeleteFunc(c.candidates, func(p *candidate) bool {
		kept[p.WorkPlacement] = p.leaving == nil
		return p.leaving != nil
	})
	c.removed = slices.DeleteFunc(c.removed, func(r recordView) bool { return kept[r.Placement] })
}

// takeShares drops the objects that other placements write from a placement's files, and updates
// its record.
func (c *rootCheck) takeShares(p *candidate, verdict dedupe.Verdict, i int) {
	files, cut := verdict.Files[i]
	shared := verdict.Shared[i]
	if !cut && len(shared) == 0 {
		return
	}
	rendering := p.rendering
	if cut {
		rendering.Files = make([]layout.File, 0, len(files))
		for _, file := range files {
			rendering.Files = append(rendering.Files, layout.File{File: file.File, Workload: file.Place.File})
		}
	}
	for _, object := range shared {
		rendering.Shared = append(rendering.Shared, layout.SharedObject{
			APIVersion: object.Object.APIVersion, Kind: object.Object.Kind, Namespace: object.Object.Scope(),
			Name: object.Object.Name, Owners: object.Owners,
		})
	}
	record, err := layout.NewRecord(c.Destination, p.WorkPlacement, rendering)
	if err != nil {
		c.add(finding.Finding{Rule: finding.UnsafePath(), Place: finding.Place{Object: p.object()}, Message: err.Error()})
		return
	}
	p.rendering, p.record = rendering, record
}
