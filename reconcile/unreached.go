package reconcile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func absentDestination(o *observed, part scheduler.DestinationPlan) finding.Finding {
	var places []string
	for _, f := range o.former {
		if at := f.location().String(); f.counts && f.target() == part.Destination && !slices.Contains(places, at) {
			places = append(places, at)
		}
	}
	remedy := "place its requests elsewhere with --on-misplaced move"
	if o.Assigned {
		remedy = "delete its WorkPlacements"
	}
	where := cmp.Or(strings.Join(places, " and "), "its state store")
	return finding.Finding{
		Rule: finding.DestinationAbsent(), Place: finding.Place{Object: kratix.DestinationKind + " " + part.Destination},
		Message: fmt.Sprintf("it is not in the input; %s in %s, and the requests are not placed elsewhere", countOf(len(part.Placements), "placement of it stays", "placements of it stay"), where),
		Fix:     fmt.Sprintf("Add the Destination again. If it is gone for good, %s, then run kratix-schedule cleanup %s --apply.", remedy, part.Destination),
	}
}

func reportUnreached(o *observed, r *reporter, plan *scheduler.Result) {
	if len(o.unread) == 0 {
		return
	}
	reachable := map[string]bool{}
	for _, store := range o.stores {
		for _, d := range store.destinations {
			reachable[d.Name] = true
		}
	}
	for _, part := range plan.Destinations {
		if reachable[part.Destination] {
			continue
		}
		for _, p := range part.Placements {
			r.addKept(p, o.has(part.Destination))
		}
		if !o.has(part.Destination) {
			r.add(absentDestination(o, part))
		}
	}
}

// addKept reports a placement that stays unchanged.
func (r *reporter) addKept(p scheduler.Placement, isThere bool) {
	name := p.Spec.TargetDestinationName
	r.parts[name] = append(r.parts[name], report.Placement{
		Work: kratix.KeyOf(p.Work).String(), Directory: p.Directory, Destination: name,
		State: report.Kept, Reason: p.Reason, Misplaced: p.Misplaced, Object: p.WorkPlacement,
	})
	if p.Misplaced && isThere {
		at := finding.Place{Object: kratix.Describe(p.Work)}
		r.add(finding.Finding{Rule: finding.Misplaced(), Place: at, Message: "on " + name + ": " + p.Reason})
	}
}

func invalidSettings(o *observed, settings []scheduler.Invalid) []finding.Finding {
	var findings []finding.Finding
	for _, s := range settings {
		at := o.Origins.Of(s.Object)
		at.Object = kratix.Describe(s.Object)
		findings = append(findings, finding.Finding{Rule: finding.InvalidAnnotation(), Place: at, Message: s.Message})
	}
	return findings
}

func (d *desired) names() []string {
	names := make([]string, 0, len(d.destinations))
	for _, dest := range d.destinations {
		names = append(names, dest.Name)
	}
	return names
}
