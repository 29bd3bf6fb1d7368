package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// returnShared brings placements back that are to be removed and share objects
// with others: they may go only if someone takes these over.
func (dest *desiredDestination) returnShared() {
	for i := range dest.removed {
		if record := &dest.removed[i]; len(record.Shared) > 0 && !dest.goesWithItsFiles() {
			p := keep(dest.destinationView, record.Placement, "")
			p.leaving = record
			dest.placements = append(dest.placements, p)
		}
	}
}

// letGo takes leave of those that may go, and keeps the others.
func (dest *desiredDestination) letGo() {
	kept := map[*kratix.WorkPlacement]bool{}
	dest.placements = slices.DeleteFunc(dest.placements, func(p *desiredPlacement) bool {
		kept[p.WorkPlacement] = p.leaving == nil
		return p.leaving != nil
	})
	dest.removed = slices.DeleteFunc(dest.removed, func(r recordView) bool { return kept[r.Placement] })
}

// sharedBy returns the objects that a placement shared when it was written.
func (dest *desiredDestination) sharedBy(p *desiredPlacement) []dedupe.Shared {
	record := dest.recordOf(p)
	if record == nil {
		return nil
	}
	var shared []dedupe.Shared
	for _, object := range record.Shared {
		id := kustomize.NewID(object.APIVersion, object.Kind, object.Namespace, object.Name)
		shared = append(shared, dedupe.Shared{Object: id, Owners: object.Owners})
	}
	return shared
}

// takeShares returns a placement the files that are left to it once others have
// some of its objects, and has its record say so.
func (dest *desiredDestination) takeShares(p *desiredPlacement, verdict dedupe.Verdict, i int) {
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
	record, err := layout.NewRecord(dest.Destination, p.WorkPlacement, rendering)
	if err != nil {
		dest.findings = append(dest.findings, finding.Finding{Rule: finding.UnsafePath(), Place: finding.Place{Object: p.object()}, Message: err.Error()})
		return
	}
	p.rendering, p.record = rendering, record
}
