package page

import (
	"context"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/components"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type placement struct {
	layout
	Row     row
	Request string
	// Applied and Healthy are the conditions that follow from the reports of the agent.
	Applied, Healthy *report.AgentCondition
	Groups           []components.Group
	Elsewhere        []row
}

func (s *state) placement(l layout, i int) placement {
	p := &s.Report.Placements[i]
	agents := s.Report.Agents()
	v := placement{layout: l, Row: s.row(i, agents)}
	if p.Object != nil {
		v.Request = p.Object.Spec.ResourceName
	}
	if delivered, known := agents.Of(p); known {
		v.Applied, v.Healthy = &delivered.Applied, &delivered.Healthy
	}
	object := kratix.WorkKind + " " + p.Work
	var about []finding.Finding
	for _, f := range s.Report.Findings {
		if f.Place.Object == object || isRelated(&f, object) {
			about = append(about, f)
		}
	}
	groups := components.Groups(about, s.options())
	v.Groups = groups[:min(len(groups), groupsPerPage)]
	for j := i - 1; j >= 0 && s.Report.Placements[j].Work == p.Work && len(v.Elsewhere) < placementsPerPage; j-- {
		v.Elsewhere = append(v.Elsewhere, s.row(j, agents))
	}
	for j := i + 1; j < len(s.Report.Placements) && s.Report.Placements[j].Work == p.Work && len(v.Elsewhere) < placementsPerPage; j++ {
		v.Elsewhere = append(v.Elsewhere, s.row(j, agents))
	}
	return v
}

func isRelated(f *finding.Finding, object string) bool {
	for _, related := range f.Related {
		if related.Place.Object == object {
			return true
		}
	}
	return false
}

// explanation is the reason why a group is on its Destinations and not on others.
type explanation struct {
	// Missing is the reason why there is no explanation. It is empty if there is one.
	Missing string
	Group   scheduler.Explanation
	More    int
}

const maxVerdicts = 200

func (s *state) explain(p report.Placement) explanation {
	if s.Input == nil || s.Assigned {
		return explanation{Missing: "this process has not chosen the Destination"}
	}
	for _, group := range scheduler.Explain(*s.Input, keyOf(p.Work)) {
		if group.Directory != p.Directory {
			continue
		}
		e := explanation{Group: group}
		if more := len(group.Verdicts) - maxVerdicts; more > 0 {
			e.Group.Verdicts, e.More = group.Verdicts[:maxVerdicts], more
		}
		return e
	}
	return explanation{Missing: "the Work is not in the input any more"}
}

func keyOf(work string) kratix.Key {
	if namespace, name, named := strings.Cut(work, "/"); named {
		return kratix.Key{Namespace: namespace, Name: name}
	}
	return kratix.Key{Name: work}
}

// storedFiles are the files of a placement, or the reason why there are none.
type storedFiles struct {
	Missing string
	History string
	Files
}

// wanted returns a placement for a Store, or the reason why it has no files there.
func (s *Site) wanted(now *state, p report.Placement) (w Wanted, missing string) {
	on := now.destinationNamed(p.Destination)
	switch {
	case s.Store == nil:
		return w, "this process reads no state store"
	case p.Destination == "":
		return w, "the group is not placed"
	case p.Object == nil || on == nil:
		return w, "the Destination is not in the input"
	}
	w = Wanted{Placement: p, On: on}
	if store := now.index().stores[on.Name]; store != nil {
		w.Revision = store.Revision
	}
	return w, ""
}

func (s *Site) filesOf(ctx context.Context, now *state, p report.Placement) storedFiles {
	wanted, missing := s.wanted(now, p)
	if missing != "" {
		return storedFiles{Missing: missing}
	}
	files, err := s.Store.Files(ctx, wanted)
	if err != nil {
		return storedFiles{Missing: err.Error()}
	}
	return storedFiles{Files: files, History: strings.Replace(Placement{p.Work, p.Directory, p.Destination}.link(), "/placement?", "/history?", 1)}
}

func (s *state) destinationNamed(name string) *kratix.Destination {
	if s.Input == nil {
		return nil
	}
	for i := range s.Input.Destinations {
		if s.Input.Destinations[i].Name == name {
			return s.Input.Destinations[i].Destination
		}
	}
	return nil
}
