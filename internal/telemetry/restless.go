package telemetry

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// A Work is restless after restlessChanges changes without a pause of restlessRest.
const (
	restlessChanges = 20
	restlessRest    = 10 * time.Minute
)

// Restless finds Works that change again and again. It is not safe for concurrent use.
type Restless struct {
	groups map[groupOfWork]*changeSeries
	// reported contains the restless groups.
	reported map[groupOfWork]*changeSeries
	seed     maphash.Seed
	// swept is the time of the last sweep.
	swept time.Time
	// placements are the placements of the last round.
	placements []report.Placement
	// findings are the findings about restless Works, given are the findings of the report, and
	// made contains both.
	findings, given, made []finding.Finding
}

type groupOfWork struct{ work, directory string }

type changeSeries struct {
	content uint64
	// changes is the number of writes with new content from first to last.
	changes     int
	first, last time.Time
	// reportedChanges and reportedAfter are the values in the last message.
	reportedChanges int
	reportedAfter   time.Duration
}

// Round returns the report of a round with a finding for each restless Work. ended is the end of
// the round. The given report must not be modified afterwards.
func (r *Restless) Round(from report.Report, ended time.Time) report.Report {
	if r.groups == nil {
		r.groups, r.reported, r.seed = map[groupOfWork]*changeSeries{}, map[groupOfWork]*changeSeries{}, maphash.MakeSeed()
	}
	if !same(r.placements, from.Placements) {
		r.placements = from.Placements
		for i := range from.Placements {
			if p := &from.Placements[i]; p.Object != nil && (p.State == report.Placed || p.State == report.Pending) {
				r.written(p, ended)
			}
		}
	}
	r.sweep(ended)
	var found []finding.Finding
	for group, seen := range r.reported {
		if seen.isOverAt(ended) {
			delete(r.reported, group)
		} else {
			found = append(found, seen.finding(group))
		}
	}
	finding.Sort(found)
	from.Findings = r.with(from.Findings, found)
	return from
}

// sweep drops the groups that no longer change, at most once a minute.
func (r *Restless) sweep(now time.Time) {
	const seldom = time.Minute
	if since := now.Sub(r.swept); since >= 0 && since < seldom {
		return
	}
	r.swept = now
	for group, seen := range r.groups {
		if seen.isOverAt(now) {
			delete(r.groups, group)
		}
	}
}

func (u *changeSeries) isOverAt(now time.Time) bool { return now.Sub(u.last) > restlessRest }

func (r *Restless) written(p *report.Placement, at time.Time) {
	group := groupOfWork{p.Work, p.Directory}
	content := r.contentOf(p)
	seen := r.groups[group]
	switch {
	case seen == nil || seen.isOverAt(at):
		r.groups[group] = &changeSeries{content: content, changes: 1, first: at, last: at}
	case seen.content != content: // the content stays the same if the placement was moved or restored
		seen.content, seen.last = content, at
		seen.changes++
		if seen.changes >= restlessChanges {
			r.reported[group] = seen
		}
	}
}

func (r *Restless) contentOf(p *report.Placement) uint64 {
	var sum maphash.Hash
	sum.SetSeed(r.seed)
	for _, workload := range p.Object.Spec.Workloads {
		for _, part := range []string{workload.Filepath, "\x00", workload.Content, "\x00"} {
			_, _ = sum.WriteString(part) // writing to a hash never fails
		}
	}
	return sum.Sum64()
}

// finding returns the finding about the changes. Its message changes if the number of changes has
// doubled.
func (u *changeSeries) finding(group groupOfWork) finding.Finding {
	if u.changes >= 2*u.reportedChanges {
		u.reportedChanges, u.reportedAfter = u.changes, u.last.Sub(u.first)
	}
	directory := ""
	if group.directory != "." {
		directory = " in " + group.directory
	}
	return finding.Finding{
		Rule: finding.RestlessWork(), Place: finding.Place{Object: "Work " + group.work},
		Message: fmt.Sprintf("what it brings%s has changed %d times in %s, and was written each time", directory, u.reportedChanges, roughly(u.reportedAfter)),
	}
}

// roughly returns a duration as text, rounded, such as "40s", "3m" or "1h40m".
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return max(d, 0).Round(time.Second).String()
	case d < time.Hour:
		d = d.Round(time.Minute)
	default:
		d = d.Round(10 * time.Minute)
	}
	return strings.NewReplacer("m0s", "m", "h0m0s", "h").Replace(d.String())
}

// with returns both lists of findings as one sorted list. It returns the previous result if nothing
// has changed.
func (r *Restless) with(given, found []finding.Finding) []finding.Finding {
	if len(found) == 0 {
		r.findings, r.given, r.made = nil, nil, nil
		return given
	}
	if !same(r.given, given) || !slices.EqualFunc(r.findings, found, func(a, b finding.Finding) bool { return a.Place == b.Place && a.Message == b.Message }) {
		r.findings, r.given, r.made = found, given, slices.Concat(given, found)
		finding.Sort(r.made)
	}
	return r.made
}
