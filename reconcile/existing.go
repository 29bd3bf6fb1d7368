package reconcile

import (
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
)

// addExisting adds the placements of the source that have no record. Records take precedence over
// them.
func addExisting(o *observed) {
	if len(o.Existing) == 0 {
		return
	}
	homes, recorded := o.homes(), o.recorded()
	for _, at := range homes {
		at.records = slices.Clip(at.records)
	}
	for _, p := range o.Existing {
		at, known := homes[p.Spec.TargetDestinationName]
		records := recorded[groupOf(p)]
		switch {
		case !known && !o.has(p.Spec.TargetDestinationName) && !o.Unseen && !p.IsDependency() && len(records) > 0:
			// The Destination is gone, and the request is on another one.
		case !known:
			o.unread = append(o.unread, p)
		case slices.Contains(records, at.Name):
		case !p.IsDependency() && len(records) > 0:
			o.findings = append(o.findings, contradiction(p, records[0]))
		default:
			at.records = append(at.records, at.impliedRecord(p))
			at.assumed = append(at.assumed, p)
		}
	}
}

type home struct {
	*destinationView
	store *storeView
}

func (o *observed) homes() map[string]home {
	homes := map[string]home{}
	for _, store := range o.stores {
		for _, d := range store.destinations {
			if store.err == nil {
				homes[d.Name] = home{d, store}
			}
		}
	}
	return homes
}

func (o *observed) recorded() map[placedGroup][]string {
	recorded := map[placedGroup][]string{}
	for _, store := range o.stores {
		for _, d := range store.destinations {
			for _, record := range d.records {
				group := groupOf(record.Placement)
				recorded[group] = append(recorded[group], d.Name)
			}
		}
	}
	return recorded
}

// impliedRecord returns the implied record of a placement.
func (h home) impliedRecord(p *kratix.WorkPlacement) recordView {
	rendering, _ := layout.Render(h.Destination, p) // only the directory is used
	assumed := recordView{Record: &layout.Record{Placement: p}, mode: h.FilepathMode()}
	if path, err := layout.RecordPath(h.Destination, p); err == nil {
		assumed.path = path
	}
	if rendering.Dir.IsRoot() {
		assumed.Files = h.legacy[assumed.path]
	} else {
		assumed.Files = h.store.state.Files.Paths(rendering.Dir)
	}
	return assumed
}

func contradiction(p *kratix.WorkPlacement, recorded string) finding.Finding {
	return finding.Finding{
		Rule:  finding.PlacementsDisagree(),
		Place: finding.Place{Object: kratix.WorkKind + " " + p.Work().String()},
		Message: fmt.Sprintf("WorkPlacement %s says that it is on %s, the record in the store says %s; neither is moved",
			p.Name, p.Spec.TargetDestinationName, recorded),
		Fix: fmt.Sprintf("Delete the WorkPlacement if %s is right; if %s is, delete the record of %s and its files from the store.",
			recorded, p.Spec.TargetDestinationName, recorded),
	}
}
