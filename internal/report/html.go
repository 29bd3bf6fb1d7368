package report

import (
	"bufio"
	_ "embed"
	"html/template"
	"io"

	"github.com/kratix-schedule/kratix-schedule/internal/components"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

//go:embed html.tmpl
var page string

//go:embed html.js
var script string

type htmlData struct {
	Document
	Title    string
	Verdict  string
	Failed   bool
	Style    template.CSS
	Script   template.JS
	Groups   []components.Group
	Picture  picture
	Reported bool
}

// HTML writes a document as a self-contained page.
func HTML(w io.Writer, d Document) error {
	agents, links := d.Agents(), newLinks(d)
	groups := components.Groups(d.Findings, components.Options{Place: func(p finding.Place) components.Place {
		return components.Place{Text: p.String() + d.onDisk(p), Link: links.toPlacement(workOf(p.Object))}
	}})
	links.add(groups, d.Findings)
	parsed, err := components.Templates().New("page").Funcs(template.FuncMap{
		"class": func(s State) string { return stateClass(s) },
		"exact": printable.Line,
		"place": func(p Placement) string { return printable.Line(p.name()) },
		"id":    links.id,
		"found": func(p Placement) string { return links.toGroup[p.Work] },
		"agent": func(p Placement) string { return agents.text(&p) },
		"fails": func(d Delivery) string { return printable.Line(d.failure()) },
	}).Parse(page)
	if err != nil {
		return err
	}
	failed := false
	for _, f := range d.Findings {
		failed = failed || d.fails(f)
	}
	out := bufio.NewWriter(w)
	data := htmlData{
		Document: d, Title: toolName, Verdict: string(d.Done) + ": " + d.totals() + d.leftOut(), Failed: failed,
		Style: template.CSS(components.Style()), Script: template.JS(script), //nolint:gosec // both are embedded
		Groups: groups, Picture: draw(d), Reported: len(agents) > 0,
	}
	if err := parsed.Execute(out, data); err != nil {
		return err
	}
	return out.Flush()
}

// links are the anchors of a page.
type links struct {
	placed  map[string]bool
	toGroup map[string]string
	last    string
}

func newLinks(d Document) *links {
	l := &links{placed: map[string]bool{}, toGroup: map[string]string{}}
	for _, p := range d.Placements {
		l.placed[p.Work] = true
	}
	return l
}

// toPlacement returns the link to the first placement of a Work, or "" if there is no placement.
func (l *links) toPlacement(work string) string {
	if !l.placed[work] {
		return ""
	}
	return "#" + placementAnchor(work)
}

func placementAnchor(work string) string { return "w" + components.Anchor(kratix.WorkKind+" "+work) }

// id returns the anchor of a placement, or "" if the placement is not the first one of its Work.
func (l *links) id(p Placement) string {
	if p.Work == l.last {
		return ""
	}
	l.last = p.Work
	return placementAnchor(p.Work)
}

func (l *links) add(groups []components.Group, findings []finding.Finding) {
	byLink := map[string]string{}
	for _, f := range findings {
		for _, object := range append([]finding.Related{{Place: f.Place}}, f.Related...) {
			if work := workOf(object.Place.Object); l.placed[work] {
				byLink[l.toPlacement(work)] = work
			}
		}
	}
	add := func(g *components.Group, place components.Place) {
		if work, known := byLink[place.Link]; known && l.toGroup[work] == "" {
			l.toGroup[work] = "#" + g.ID
		}
	}
	for i := range groups {
		g := &groups[i]
		for _, claimant := range g.Claimants {
			add(g, claimant)
		}
		for _, problem := range g.Problems {
			for _, item := range problem.Items {
				add(g, item.At)
			}
		}
	}
}

func stateClass(s State) string {
	switch s {
	case Placed, Unchanged:
		return "good"
	case HeldBack, Unplaced, Failed:
		return "bad"
	case Removed, Kept:
	}
	return "other"
}
