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

// A Work is restless when what is written of it has changed so often, with no
// longer rest in between. A person who edits it comes to a few changes; a
// pipeline that writes the time comes to one a run.
const (
	restlessChanges = 20
	restlessRest    = 10 * time.Minute
)

// Restless finds Works that change again and again. It remembers what was
// written within the last minutes. It is not safe for concurrent use.
type Restless struct {
	groups map[groupOfWork]*unrest
	// loud are those of them that are logged.
	loud map[groupOfWork]*unrest
	seed maphash.Seed
	// swept is when those that had come to rest were forgotten last.
	swept time.Time
	// placements are those of the last round.
	placements []report.Placement
	// told is what the Works of the last round came to, given is the report that
	// they were added to, and made what it became.
	told, given, made []finding.Finding
}

// groupOfWork names what is written of a Work: a group of it, wherever that is.
type groupOfWork struct{ work, directory string }

// unrest is a row of changes.
type unrest struct {
	content uint64
	// changes is how often it has changed between first and last; the first time
	// it was written counts.
	changes     int
	first, last time.Time
	// toldChanges and toldAfter are what was logged last: how many there were, and in
	// how long a time.
	toldChanges int
	toldAfter   time.Duration
}

// Round takes a round into account that ended at a time, and returns its report
// with a finding for each restless Work. The finding says something new each
// time that the number of changes has doubled. The report that is given must not
// change any more; it is not changed either.
func (r *Restless) Round(from report.Report, ended time.Time) report.Report {
	if r.groups == nil {
		r.groups, r.loud, r.seed = map[groupOfWork]*unrest{}, map[groupOfWork]*unrest{}, maphash.MakeSeed()
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
	for group, seen := range r.loud {
		if seen.restsAt(ended) {
			delete(r.loud, group)
		} else {
			found = append(found, seen.finding(group))
		}
	}
	finding.Sort(found)
	from.Findings = r.with(from.Findings, found)
	return from
}

// sweep forgets what has come to rest, once in a while.
func (r *Restless) sweep(now time.Time) {
	const seldom = time.Minute
	if since := now.Sub(r.swept); since >= 0 && since < seldom {
		return
	}
	r.swept = now
	for group, seen := range r.groups {
		if seen.restsAt(now) {
			delete(r.groups, group)
		}
	}
}

// restsAt reports whether nothing has changed for long.
func (u *unrest) restsAt(now time.Time) bool { return now.Sub(u.last) > restlessRest }

// written takes in that a placement was written, or is being written.
func (r *Restless) written(p *report.Placement, at time.Time) {
	group := groupOfWork{p.Work, p.Directory}
	content := r.contentOf(p)
	seen := r.groups[group]
	switch {
	case seen == nil || seen.restsAt(at):
		r.groups[group] = &unrest{content: content, changes: 1, first: at, last: at}
	case seen.content != content: // else it was moved, or put right
		seen.content, seen.last = content, at
		seen.changes++
		if seen.changes >= restlessChanges {
			r.loud[group] = seen
		}
	}
}

// contentOf sums what a placement brings.
func (r *Restless) contentOf(p *report.Placement) uint64 {
	var sum maphash.Hash
	sum.SetSeed(r.seed)
	for _, workload := range p.Object.Spec.Workloads {
		for _, part := range []string{workload.Filepath, "\x00", workload.Content, "\x00"} {
			_, _ = sum.WriteString(part) // a hash takes everything
		}
	}
	return sum.Sum64()
}

// finding reports the changes. Its words stay the same until there are twice as
// many, so that they are not logged in each round.
func (u *unrest) finding(group groupOfWork) finding.Finding {
	if u.changes >= 2*u.toldChanges {
		u.toldChanges, u.toldAfter = u.changes, u.last.Sub(u.first)
	}
	directory := ""
	if group.directory != "." {
		directory = " in " + group.directory
	}
	return finding.Finding{
		Rule: finding.RestlessWork(), Place: finding.Place{Object: "Work " + group.work},
		Message: fmt.Sprintf("what it brings%s has changed %d times in %s, and was written each time", directory, u.toldChanges, roughly(u.toldAfter)),
	}
}

// roughly returns a time as people say it: "40s", "3m", "1h40m".
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

// with adds findings to those of a report. What is the same in memory as the
// last time, and has the same added, is the same in memory again.
func (r *Restless) with(given, found []finding.Finding) []finding.Finding {
	if len(found) == 0 {
		r.told, r.given, r.made = nil, nil, nil
		return given
	}
	if !same(r.given, given) || !slices.EqualFunc(r.told, found, func(a, b finding.Finding) bool { return a.Place == b.Place && a.Message == b.Message }) {
		r.told, r.given, r.made = found, given, slices.Concat(given, found)
		finding.Sort(r.made)
	}
	return r.made
}
