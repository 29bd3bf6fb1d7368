package page

import (
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/components"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type placements struct {
	layout
	Query    Query
	Filters  []filter
	Rows     []row
	Pages    pages
	Reported bool
}

type filter struct {
	Name, Label, Value string
	Choices            []choice
}

type choice struct {
	Value, Text string
	Selected    bool
}

type row struct {
	State, Class                        string
	Work, Group, Link                   string
	Promise, Destination, Reason, Agent string
}

func (s *state) placements(l layout, q Query) placements {
	matching, total := s.match(q, placementsPerPage)
	v := placements{layout: l, Query: q, Pages: pagesOf(q, "/placements", placementsPerPage, total, "placement"), Reported: len(s.Report.Deliveries) > 0}
	x := s.index()
	v.Filters = []filter{
		newFilter(paramPromise, "Promise", q.Promise, x.promises.sorted()),
		newFilter(paramNamespace, "Namespace", q.Namespace, x.namespaces.sorted()),
		newFilter(paramDestination, "Destination", q.Destination, x.destinations.sorted()),
		newFilter(paramState, "State", q.State, s.states()),
	}
	agents := s.Report.Agents()
	for _, i := range matching {
		v.Rows = append(v.Rows, s.row(i, agents))
	}
	return v
}

func (s *state) row(i int, agents report.Agents) row {
	p := &s.Report.Placements[i]
	r := row{
		State: string(p.State), Class: stateClass(p.State), Work: p.Work, Destination: p.Destination, Reason: p.Reason,
		Promise: s.index().promises.all[s.index().entries[i].promise],
		Link:    Placement{p.Work, p.Directory, p.Destination}.link(),
	}
	if p.Directory != kratix.DefaultDirectory {
		r.Group = p.Directory
	}
	if delivered, known := agents.Of(p); known {
		r.Agent = delivered.String()
	}
	return r
}

// states returns the choices of the filter by state.
func (s *state) states() []string {
	x := s.index()
	all := []string{problemState}
	if x.failing > 0 {
		all = append(all, failingState)
	}
	for _, state := range report.States() {
		if x.counts[state] > 0 {
			all = append(all, string(state))
		}
	}
	return all
}

func newFilter(name, label, value string, values []string) filter {
	f := filter{Name: name, Label: label, Value: value}
	if len(values) > maxChoices {
		return f
	}
	f.Choices = append(f.Choices, choice{Text: "any", Selected: value == ""})
	known := value == ""
	for _, v := range values {
		if len(v) > maxValue || !printable.IsPlain(v) {
			continue // the value is too long for a query, or unreadable
		}
		text := v
		if name == paramState && v == problemState {
			text = "any problem"
		}
		f.Choices = append(f.Choices, choice{Value: v, Text: text, Selected: v == value})
		known = known || v == value
	}
	if !known {
		f.Choices = append(f.Choices, choice{Value: printable.Line(value), Text: value, Selected: true})
	}
	return f
}

type problems struct {
	layout
	Query   Query
	Filters []filter
	Groups  []components.Group
	Pages   pages
}

func (s *state) problems(l layout, q Query) problems {
	search := strings.ToLower(q.Search)
	var found []finding.Finding
	for _, f := range s.Report.Findings {
		if (q.Severity == "" || f.Rule.Severity.String() == q.Severity) && (search == "" || mentions(&f, search)) {
			found = append(found, f)
		}
	}
	groups := components.Groups(found, s.options())
	return problems{
		layout: l, Query: q, Groups: slicePage(groups, q.Page, groupsPerPage), Pages: pagesOf(q, "/problems", groupsPerPage, len(groups), "object"),
		Filters: []filter{newFilter(paramSeverity, "Severity", q.Severity, []string{finding.Error.String(), finding.Warning.String(), finding.Note.String()})},
	}
}

// mentions reports whether a finding contains a lower-case text.
func mentions(f *finding.Finding, text string) bool {
	has := func(in string) bool { return strings.Contains(strings.ToLower(in), text) }
	if has(f.Subject) || has(f.Message) || has(f.Place.Object) || has(f.Place.File) || has(f.Rule.ID) || has(f.Rule.Name) || has(f.Flux) {
		return true
	}
	for _, related := range f.Related {
		if has(related.Place.Object) || has(related.Place.File) {
			return true
		}
	}
	return false
}
