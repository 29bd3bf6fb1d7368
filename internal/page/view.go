package page

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/components"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

const (
	placementsPerPage   = 50
	destinationsPerPage = 100
	groupsPerPage       = 30
	groupsOnTop         = 5
	// maxItems is the maximum number of findings of one rule about one object.
	maxItems = 20
	// maxChoices is the maximum number of values in the list of a filter.
	maxChoices = 300
)

type layout struct {
	Title, Version string
	Here           string
	Updated        string
	// Waiting is the text of the page before there is a report.
	Waiting string
	// Search is a link to the placements of the Work that the address names, if there is no such
	// placement.
	Search  string
	Failure string
	// HasRollouts means that there is a page of rollouts.
	HasRollouts bool
}

type overview struct {
	layout
	Verdict      verdict
	Cards        []card
	Groups       []components.Group
	MoreGroups   int
	Destinations []destination
	Pages        pages
}

type verdict struct{ Class, Headline, Detail string }

type card struct {
	Count       string
	Name, Class string
	Link        string
}

type destination struct {
	Name, Link, State, Class string
	Placements, Problems     int
	ProblemsLink             string
	Store, Revision          string
	Agents                   []agentLine
}

type agentLine struct{ Root, State, Class, Message, Since string }

type pages struct{ Text, Previous, Next string }

func pagesOf(q Query, path string, size, total int, noun string) pages {
	last := max(total-1, 0)/size + 1
	here := min(max(q.Page, 1), last)
	p := pages{Text: report.Plural(total, noun)}
	if last > 1 {
		p.Text += fmt.Sprintf(", page %d of %d", here, last)
	}
	if here > 1 {
		p.Previous = q.at(here - 1).link(path)
	}
	if here < last {
		p.Next = q.at(here + 1).link(path)
	}
	return p
}

// slicePage returns the part of a list that is on a page, or on the last page if there is no such
// page.
func slicePage[T any](all []T, page, size int) []T {
	from := min(max(page-1, 0)*size, max(len(all)-1, 0)/size*size)
	return all[from:min(from+size, len(all))]
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func (s *state) overview(l layout, q Query) overview {
	v := overview{layout: l, Verdict: s.verdict(), Cards: s.cards()}
	errors := slices.Clone(s.Report.Findings)
	errors = slices.DeleteFunc(errors, func(f finding.Finding) bool { return f.Rule.Severity != finding.Error })
	groups := components.Groups(errors, s.options())
	v.Groups, v.MoreGroups = groups[:min(len(groups), groupsOnTop)], max(len(groups)-groupsOnTop, 0)
	all := s.destinations()
	v.Destinations = slicePage(all, q.Page, destinationsPerPage)
	v.Pages = pagesOf(q, "/", destinationsPerPage, len(all), "Destination")
	return v
}

func (s *state) verdict() verdict {
	tally := report.Count(s.Report.Findings)
	x := s.index()
	problems := x.counts[report.HeldBack] + x.counts[report.Unplaced] + x.counts[report.Failed]
	var parts []string
	if problems > 0 {
		parts = append(parts, report.Plural(problems, "placement")+" "+verb(problems, "is", "are")+" not where "+verb(problems, "it", "they")+" should be")
	}
	if x.failing > 0 {
		parts = append(parts, report.Plural(x.failing, "placement")+" "+verb(x.failing, "fails", "fail")+" in the cluster")
	}
	var down []string
	for _, f := range s.Report.Findings {
		if f.Rule == finding.StoreFailed() && f.Place.Object != "" && !slices.Contains(down, f.Place.Object) {
			down = append(down, f.Place.Object)
		}
	}
	if len(down) > 0 {
		parts = append(parts, components.Line(down[0], components.LongestName)+more(len(down)-1)+" cannot be used")
	}
	v := verdict{Class: "good", Headline: "Everything is where it should be.", Detail: s.Report.Summary()}
	switch {
	case len(parts) > 0:
		v.Class, v.Headline = "bad", strings.Join(parts, "; ")+"."
	case tally.Errors > 0:
		v.Class, v.Headline = "bad", report.Plural(tally.Errors, "error")+"."
	case tally.Warnings > 0:
		v.Class, v.Headline = "warn", "Everything is where it should be, with "+report.Plural(tally.Warnings, "warning")+"."
	}
	return v
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

func (s *state) cards() []card {
	var all []card
	counts := s.index().counts
	for _, state := range []report.State{report.HeldBack, report.Unplaced, report.Failed, report.Pending, report.Rehearsed, report.Kept, report.Placed, report.Unchanged, report.Removed} {
		if n := counts[state]; n > 0 {
			all = append(all, card{finding.Thousands(n), string(state), stateClass(state), Query{State: string(state)}.link("/placements")})
		}
	}
	if n := s.index().failing; n > 0 {
		all = slices.Insert(all, 0, card{finding.Thousands(n), failingState, "bad", Query{State: failingState}.link("/placements")})
	}
	return all
}

func (s *state) destinations() []destination {
	x := s.index()
	known := map[string]bool{}
	var all []destination
	agents := s.Report.Agents()
	add := func(name, closed string, unread bool) {
		if !known[name] && name != "" {
			known[name] = true
			all = append(all, s.destination(name, closed, unread, agents[name]))
		}
	}
	if s.Input != nil {
		for i := range s.Input.Destinations {
			d := &s.Input.Destinations[i]
			add(d.Name, d.Closed, d.Store != scheduler.StoreRead)
		}
	}
	for _, name := range x.destinations.all {
		add(name, "", false)
	}
	for name := range x.stores {
		add(name, "", false)
	}
	problems := s.problemsOn()
	for i := range all {
		d := &all[i]
		d.Problems = problems[d.Name]
		d.ProblemsLink = Query{Destination: d.Name, State: problemState}.link("/placements")
		if d.Problems > 0 && d.Class == "good" {
			d.Class, d.State = "warn", "works, with placements held back"
		}
	}
	rank := map[string]int{"bad": 0, "warn": 1, "good": 2}
	slices.SortFunc(all, func(a, b destination) int {
		return cmp.Or(cmp.Compare(rank[a.Class], rank[b.Class]), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func (s *state) problemsOn() map[string]int {
	of := map[string]int{}
	for i := range s.Report.Placements {
		if p := &s.Report.Placements[i]; hasProblem(p.State) {
			of[p.Destination]++
		}
	}
	return of
}

func (s *state) destination(name, closed string, unread bool, reported []*report.Delivery) destination {
	x := s.index()
	d := destination{Name: name, Link: Query{Destination: name}.link("/placements"), Placements: x.destinations.load(name), State: "works", Class: "good"}
	if store := x.stores[name]; store != nil {
		d.Store, d.Revision = store.Name, store.Revision
	}
	if closed != "" {
		d.State, d.Class = closed, "warn"
	}
	for _, delivery := range reported {
		line := lineOf(delivery)
		d.Agents = append(d.Agents, line)
		if line.Class == "bad" {
			d.State, d.Class = "its agent fails", "bad"
		}
	}
	if unread {
		d.State, d.Class = "its store cannot be read", "bad"
	}
	return d
}

func lineOf(d *report.Delivery) agentLine {
	line := agentLine{Root: cmp.Or(d.Root, "everything"), State: "nothing reported", Class: "other"}
	state := &d.State
	switch failure := state.Failure; {
	case failure != nil:
		line.State, line.Class, line.Message, line.Since = string(failure.Outcome), "bad", failure.String(), instant(failure.Since)
	case state.Healthy.Revision != "" && state.Healthy.Revision == state.Applied.Revision:
		line.State, line.Class, line.Message, line.Since = "healthy", "good", "revision "+state.Healthy.Revision, instant(state.Healthy.Time)
	case state.Applied.Revision != "":
		line.State, line.Class, line.Message, line.Since = "applied", "good", "revision "+state.Applied.Revision, instant(state.Applied.Time)
	}
	return line
}

func stateClass(s report.State) string {
	switch {
	case s == report.Placed || s == report.Unchanged:
		return "good"
	case hasProblem(s):
		return "bad"
	}
	return "other"
}

func (s *state) options() components.Options {
	return components.Options{MaxItems: maxItems, Place: func(p finding.Place) components.Place {
		return components.Place{Text: p.String(), Link: objectLink(p.Object)}
	}}
}

// objectLink returns the link to the page about an object, or "" if there is none.
func objectLink(object string) string {
	kind, name, named := strings.Cut(object, " ")
	switch {
	case !named || len(name) > maxValue:
		return ""
	case kind == kratix.WorkKind:
		return Query{Search: name}.link("/placements")
	case kind == kratix.DestinationKind:
		return Query{Destination: name}.link("/placements")
	}
	return ""
}

// link returns the URL of the page of a placement, or "" if the names are too long for a URL.
func (p Placement) link() string {
	if len(p.Work)+len(p.Directory)+len(p.Destination) > maxValue {
		return ""
	}
	values := url.Values{paramWork: {p.Work}}
	if p.Directory != "" && p.Directory != kratix.DefaultDirectory {
		values.Set(paramGroup, p.Directory)
	}
	if p.Destination != "" {
		values.Set(paramDestination, p.Destination)
	}
	return "/placement?" + values.Encode()
}
