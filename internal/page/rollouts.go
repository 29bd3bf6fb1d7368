package page

import (
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/rollout"
)

const rolloutsPerPage = 20

type rollouts struct {
	layout
	Rows  []rolloutRow
	Pages pages
}

type rolloutRow struct {
	Name, Promise, Link   string
	Phase, Class          string
	Revision, Since       string
	Reason, Advice        string
	Updated, Destinations int
	Waves                 []waveRow
}

type waveRow struct {
	Name, Class, Reason                     string
	Destinations, Updated, InFlight, Failed int
}

type oneRollout struct {
	layout
	Query   Query
	Rollout rolloutRow
	Rows    []targetRow
	Pages   pages
}

type targetRow struct{ Destination, Link, Wave, State, Class, Since, Reason string }

func (s *state) rollouts(l layout, q Query) rollouts {
	all := s.Report.Rollouts
	v := rollouts{layout: l, Pages: pagesOf(q, "/rollouts", rolloutsPerPage, len(all), "rollout")}
	here := slicePage(all, q.Page, rolloutsPerPage)
	for i := range here {
		v.Rows = append(v.Rows, rolloutRowOf(&here[i]))
	}
	return v
}

func rolloutRowOf(r *report.Rollout) rolloutRow {
	row := rolloutRow{
		Name: r.Name, Promise: r.Promise, Link: rolloutLink(r), Phase: r.Phase, Class: phaseClass(r.Phase),
		Revision: r.Revision, Since: instant(r.Since), Reason: r.Reason, Advice: adviceFor(r),
	}
	for i := range r.Waves {
		w := &r.Waves[i]
		row.Updated, row.Destinations = row.Updated+w.Updated, row.Destinations+w.Destinations
		row.Waves = append(row.Waves, waveRow{w.Name, waveClass(w), w.Reason, w.Destinations, w.Updated, w.InFlight, w.Failed})
	}
	return row
}

func phaseClass(phase string) string {
	switch rollout.Phase(phase) {
	case rollout.Complete:
		return "good"
	case rollout.Failed, rollout.RollingBack, rollout.RolledBack:
		return "bad"
	case rollout.Waiting, rollout.Paused:
		return "warn"
	}
	return "other"
}

func waveClass(w *report.RolloutWave) string {
	switch {
	case w.Failed > 0:
		return "bad"
	case w.Reason == "":
		return "good"
	}
	return "other"
}

// adviceFor returns what a reader can do about a rollout that does not go on by itself.
func adviceFor(r *report.Rollout) string {
	switch rollout.Phase(r.Phase) {
	case rollout.Failed, rollout.RollingBack, rollout.RolledBack:
		return finding.RolloutFailed().Fix
	case rollout.Paused:
		return "kratix-schedule rollout resume lets it go on."
	case rollout.Waiting:
		return "It goes on by itself at the next window; kratix-schedule rollout approve gives an approval that it waits for."
	}
	return ""
}

// rolloutLink returns the URL of the page of a rollout, or "" if the names are too long for a URL.
func rolloutLink(r *report.Rollout) string {
	if len(r.Name)+len(r.Promise) > maxValue {
		return ""
	}
	return "/rollout?" + url.Values{paramName: {r.Name}, paramPromise: {r.Promise}}.Encode()
}

// rollout serves the page of a rollout: its waves and its Destinations.
func (s *Site) rollout(w http.ResponseWriter, r *http.Request, templates *template.Template) {
	q := ParseQuery(r.URL.Query())
	l, now := s.layoutOf("Rollout "+q.Name, "/rollout")
	if now == nil {
		send(w, templates, "", nil, nil, l)
		return
	}
	for i := range now.Report.Rollouts {
		if one := &now.Report.Rollouts[i]; isNamed(one.Name, q.Name) && isNamed(one.Promise, q.Promise) {
			send(w, templates, "rollout", now, oneRolloutOf(one, l, q), l)
			return
		}
	}
	notFound(w, templates, l, "There is no such rollout now. Its Rollout may have been removed, or it selects no Work of this Promise.")
}

// isNamed reports whether a value of a query is a name, whose invalid bytes the query has replaced.
func isNamed(name, value string) bool { return strings.ToValidUTF8(name, "\uFFFD") == value }

func oneRolloutOf(r *report.Rollout, l layout, q Query) oneRollout {
	search := strings.ToLower(q.Search)
	var matching []*report.RolloutDestination
	for i := range r.Destinations {
		if d := &r.Destinations[i]; search == "" || strings.Contains(strings.ToLower(d.Name), search) || strings.Contains(strings.ToLower(d.Wave), search) {
			matching = append(matching, d)
		}
	}
	v := oneRollout{layout: l, Query: q, Rollout: rolloutRowOf(r), Pages: pagesOf(q, "/rollout", destinationsPerPage, len(matching), "Destination")}
	for _, d := range slicePage(matching, q.Page, destinationsPerPage) {
		v.Rows = append(v.Rows, targetRowOf(d))
	}
	return v
}

func targetRowOf(d *report.RolloutDestination) targetRow {
	row := targetRow{Destination: d.Name, Link: Query{Destination: d.Name}.link("/placements"), Wave: d.Wave, State: "has what it had", Class: "other", Since: instant(d.Since), Reason: d.Reason}
	if d.Updated {
		row.State, row.Class = "updated", "good"
	}
	return row
}
