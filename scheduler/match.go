package scheduler

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// matcher finds the Destinations that fit. Groups that ask for the same labels
// share one answer.
type matcher struct {
	destinations []Destination
	known        map[string]*fit
}

func newMatcher(destinations []Destination) *matcher {
	sorted := slices.SortedFunc(slices.Values(destinations), func(a, b Destination) int {
		return cmp.Compare(a.Name, b.Name)
	})
	return &matcher{destinations: sorted, known: map[string]*fit{}}
}

// fit says which Destinations fit some labels, and why the others do not.
type fit struct {
	asked selectors
	// usable can be written to; unread fit as well, but what they hold is not
	// known. Both are sorted by name.
	usable, unread []string
	// absent fit, but have no store.
	absent []string
	// refused maps each other Destination to the reason.
	refused map[string]string
	total   int
}

func (m *matcher) fits(work *kratix.Work, group *kratix.WorkloadGroup) *fit {
	asked := selectorsOf(work, group)
	key := asked.String()
	if found, ok := m.known[key]; ok {
		return found
	}
	found := m.evaluate(asked)
	m.known[key] = found
	return found
}

func (m *matcher) evaluate(asked selectors) *fit {
	f := &fit{asked: asked, refused: map[string]string{}, total: len(m.destinations)}
	for _, destination := range m.destinations {
		reason := refusal(asked, destination.Destination)
		switch {
		case reason != "":
			f.refused[destination.Name] = reason
		case destination.Store == StoreAbsent:
			f.absent = append(f.absent, destination.Name)
		case destination.Store == StoreUnread:
			f.unread = append(f.unread, destination.Name)
		default:
			f.usable = append(f.usable, destination.Name)
		}
	}
	return f
}

// refusal says why a Destination may not take what asks for these labels, or
// nothing.
func refusal(asked selectors, d *kratix.Destination) string {
	switch {
	case !d.DeletionTimestamp.IsZero():
		return "being deleted"
	case d.IsDryRun() && asked[kratix.DryRunLabel] != "true":
		return "only for dry runs"
	case len(asked) == 0 && d.Spec.StrictMatchLabels && len(d.Labels) > 0:
		return "strictMatchLabels is set and no label is asked for"
	}
	if missing := asked.lacking(d.Labels); missing != "" {
		return "lacks " + missing
	}
	return ""
}

// has tells whether a Destination fits, whatever is known of its store.
func (f *fit) has(destination string) bool {
	return slices.Contains(f.usable, destination) || slices.Contains(f.unread, destination) || slices.Contains(f.absent, destination)
}

func (f *fit) whyNot(destination string) string {
	return cmp.Or(f.refused[destination], "it is not there any more")
}

func (f *fit) spread() string {
	return fmt.Sprintf("chosen of %d Destinations that fit, by an even and repeatable spread", len(f.usable))
}

// summary says why nothing fits: "0/3 Destinations fit: 2 lack a=b, 1 is being
// deleted".
func (f *fit) summary() string {
	if f.total == 0 {
		return "there is no Destination"
	}
	counts := map[string]int{}
	for _, reason := range f.refused {
		counts[reason]++
	}
	if len(f.absent) > 0 {
		counts["without their state store"] = len(f.absent)
	}
	parts := make([]string, 0, len(counts))
	for _, reason := range slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	}) {
		parts = append(parts, phrase(counts[reason], reason))
	}
	return fmt.Sprintf("0/%d Destinations fit: %s", f.total, strings.Join(parts, ", "))
}

// phrase counts a reason in words: "2 lack a=b", "1 is being deleted".
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
