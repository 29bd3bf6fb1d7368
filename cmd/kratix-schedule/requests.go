package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
)

type requestFlags struct {
	second bool
	times  int
}

const maxRequests = 100

func (f *requestFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.second, "second-request", false,
		"also check whether each request could be made twice on one Destination; the second has another name and namespace")
	c.Flags().IntVar(&f.times, "requests", 1, fmt.Sprintf(
		"check each request as if this many requests were placed on one Destination, each with another name, every second one in another namespace; at most %d", maxRequests))
	configurable(c, "second-request", "requests")
}

func (f *requestFlags) parse(c *cobra.Command) (int, error) {
	if err := checkTimes(f.times); err != nil {
		return 0, usage(c, fmt.Sprintf("--requests %d: %s", f.times, err))
	}
	switch {
	case f.second && f.times == 1 && c.Flags().Changed("requests"):
		return 0, usage(c, "--second-request and --requests 1 contradict each other")
	case f.second:
		return max(f.times, 2), nil
	}
	return f.times, nil
}

func checkTimes(times int) error {
	if times < 1 || times > maxRequests {
		return fmt.Errorf("it must be from 1 to %d", maxRequests)
	}
	return nil
}

// requestsSource is a source that adds further requests: copies of the Work of each request under
// other names, alternately in another namespace and in the same namespace.
type requestsSource struct {
	source.Source
	// times is the number of requests, including the existing one.
	times   int
	origins map[string]origin
}

type origin struct {
	work   string
	beside bool
}

func (s *requestsSource) Snapshot(ctx context.Context) (source.Snapshot, error) {
	snapshot, err := s.Source.Snapshot(ctx)
	if err != nil || s.times < 2 {
		return snapshot, err
	}
	s.origins = map[string]origin{}
	taken := map[kratix.Key]bool{}
	var latest time.Time
	for _, work := range snapshot.Works {
		taken[kratix.KeyOf(work)] = true
		if work.CreationTimestamp.After(latest) {
			latest = work.CreationTimestamp.Time
		}
	}
	works := slices.Clone(snapshot.Works)
	for _, work := range snapshot.Works {
		if work.Spec.ResourceName != "" {
			works = append(works, s.more(work, taken, metav1.NewTime(latest.Add(time.Second)))...)
		}
	}
	snapshot.Works = works
	if assumed := scheduler.Assume(works); len(assumed) > 0 {
		snapshot.Destinations = assumed
		addStore(&snapshot, assumed[0].Spec.StateStoreRef.Name)
	}
	return snapshot, nil
}

// more returns the Works of the additional requests, under unused names.
func (s *requestsSource) more(work *kratix.Work, taken map[kratix.Key]bool, created metav1.Time) []*kratix.Work {
	files, err := unpacked(work)
	if err != nil {
		return nil // content that cannot be decoded is reported for the first request
	}
	var made []*kratix.Work
	for n := 2; len(made) < s.times-1; n++ {
		as := naming{suffix: fmt.Sprintf("-request-%d", n), beside: len(made)%2 == 1}
		other := as.apply(work, files)
		if taken[kratix.KeyOf(other)] {
			continue
		}
		taken[kratix.KeyOf(other)] = true
		other.CreationTimestamp = created
		s.origins[kratix.Describe(other)] = origin{work: kratix.Describe(work), beside: as.beside}
		made = append(made, other)
	}
	return made
}

// rewriteFindings moves findings about duplicate objects from added requests to the first request,
// and drops other findings about added requests.
func (s *requestsSource) rewriteFindings(result report.Report) report.Report {
	if s.times < 2 {
		return result
	}
	type object struct {
		place finding.Place
		what  string
	}
	conflicts := map[object]finding.Finding{}
	var told []finding.Finding
	for _, f := range result.Findings {
		from, added := s.origins[f.Place.Object]
		switch {
		case !added:
			told = append(told, f)
			continue
		case f.Rule != finding.DuplicateObject():
			continue // the first request has the same finding
		}
		f.Place.Object = from.work
		what, _, _ := strings.Cut(f.Message, " is in ")
		seen, again := conflicts[object{f.Place, what}]
		f.Flux = cmp.Or(seen.Flux, f.Flux)
		beside := from.beside && (!again || strings.Contains(seen.Message, besideWords))
		conflicts[object{f.Place, what}] = secondRequest(f, what, beside)
	}
	told = append(told, slices.Collect(maps.Values(conflicts))...)
	finding.Sort(told)
	result.Findings = told
	result.Placements = slices.DeleteFunc(slices.Clone(result.Placements), func(p report.Placement) bool {
		_, added := s.origins[kratix.WorkKind+" "+p.Work]
		return added
	})
	return result
}

// besideWords marks messages about conflicts within one namespace.
const besideWords = "in the same namespace "

func secondRequest(f finding.Finding, what string, beside bool) finding.Finding {
	f.Rule, f.Fix = finding.SecondRequest(), ""
	where, which := "", "under another name and namespace"
	if beside {
		where, which = besideWords, "under another name"
	}
	f.Message = "a second request " + where + "brings " + what + " again"
	f.Related = []finding.Related{{Place: f.Place, Message: "the same request " + which}}
	return f
}
