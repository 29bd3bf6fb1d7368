package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type fit struct {
	asked selectors
	kinds []verdictKind
	// usable are the Destinations that fit and accept new placements. unread are the Destinations
	// that fit and whose store could not be read. Both are sorted indices into the fleet.
	usable, unread []int
	// closed counts the Destinations that fit and accept no new placements, such as "1 is cordoned".
	closed string
	ready  int
	// evenly means that all usable Destinations have the same weight.
	evenly bool
	spread string
	// summary caches round.summary.
	summary string
}

type verdict struct {
	kind   verdictKind
	reason string
}

type verdictKind uint8

const (
	// open means that the Destination fits and accepts new placements.
	open verdictKind = iota
	refused
	// closed means that the Destination fits but accepts no new placements.
	closed
	// absentStore means that the Destination fits but its store does not exist.
	absentStore
	// unreadStore means that the Destination fits but its store could not be read.
	unreadStore
)

// kindOf returns the kind of the verdict on a Destination.
func kindOf(asked selectors, s *member) verdictKind {
	switch {
	case !s.DeletionTimestamp.IsZero(), s.IsDryRun() && !asked.requiresDryRun(), tooLoose(asked, s), !asked.hold(s.Labels):
		return refused
	case s.Store == StoreAbsent:
		return absentStore
	case s.Store == StoreUnread:
		return unreadStore
	case s.closed != "":
		return closed
	}
	return open
}

func verdictOn(asked selectors, s *member) verdict {
	v := verdict{kind: kindOf(asked, s)}
	switch v.kind {
	case refused:
		v.reason = refusal(asked, s)
	case absentStore:
		v.reason = "without their state store"
	case unreadStore:
		v.reason = "in a store that cannot be read"
	case closed:
		v.reason = s.closed
	}
	return v
}

// tooLoose reports whether the Destination refuses Works without selectors.
func tooLoose(asked selectors, s *member) bool {
	return len(asked) == 0 && s.Spec.StrictMatchLabels && len(s.Labels) > 0
}

func refusal(asked selectors, s *member) string {
	switch {
	case !s.DeletionTimestamp.IsZero():
		return "being deleted"
	case s.IsDryRun() && !asked.requiresDryRun():
		return "only for dry runs"
	case tooLoose(asked, s):
		return "strictMatchLabels is set and the selectors name no label"
	}
	return "lacks " + asked.lacking(s.Labels).String()
}

func spread(usable int, evenly bool) string {
	how := "an even and repeatable spread"
	if !evenly {
		how = "a repeatable spread by their weights"
	}
	return fmt.Sprintf("chosen of %d Destinations that fit, by %s", usable, how)
}

// summarise returns the number of Destinations that fit, with the reasons of the others: "0/3
// Destinations fit: 2 lack a=b, 1 is cordoned".
func summarise(verdicts []verdict) string {
	if len(verdicts) == 0 {
		return "there is no Destination"
	}
	counts, fitting := map[string]int{}, 0
	for _, v := range verdicts {
		if v.kind == open {
			fitting++
		} else {
			counts[v.reason]++
		}
	}
	text := fmt.Sprintf("%d/%d Destinations fit", fitting, len(verdicts))
	if len(counts) > 0 {
		text += ": " + strings.Join(phrases(counts), ", ")
	}
	return text
}

func phrases(counts map[string]int) []string {
	var parts []string
	for _, reason := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}) {
		parts = append(parts, phrase(counts[reason], reason))
	}
	return parts
}

func phrase(count int, reason string) string {
	verb := "are "
	if count == 1 {
		verb = "is "
	}
	if missing, ok := strings.CutPrefix(reason, "lacks "); ok {
		verb, reason = "lack ", missing
		if count == 1 {
			verb = "lacks "
		}
	}
	if strings.HasPrefix(reason, "strictMatchLabels") {
		verb = "not taken: "
	}
	return fmt.Sprintf("%d %s%s", count, verb, reason)
}

// Fits reports whether a group of a Work may be on a Destination, without regard to cordons,
// capacity and the store.
func Fits(work *kratix.Work, group *kratix.WorkloadGroup, d *kratix.Destination) bool {
	return len(Fitting(work, group, []*kratix.Destination{d})) > 0
}

// Fitting returns the names of the Destinations for which Fits returns true, in the given order.
func Fitting(work *kratix.Work, group *kratix.WorkloadGroup, destinations []*kratix.Destination) []string {
	asked := selectorsOf(work, group)
	var names []string
	for _, d := range destinations {
		if kindOf(asked, &member{Destination: Destination{Destination: d}}) == open {
			names = append(names, d.Name)
		}
	}
	return names
}
