package telemetry

import (
	"cmp"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// changedFindings returns the added findings and the resolved errors. Both lists must be sorted by
// finding.Compare. The results are pointers into the lists.
func changedFindings(before, now []finding.Finding) (begun, resolved []*finding.Finding) {
	for len(before) > 0 || len(now) > 0 {
		var was, is []finding.Finding
		order := comparePlaces(before, now)
		if order <= 0 {
			was, before = cutPlace(before)
		}
		if order >= 0 {
			is, now = cutPlace(now)
		}
		if slices.EqualFunc(was, is, func(a, b finding.Finding) bool { return a.Message == b.Message }) {
			continue // most findings are unchanged
		}
		known, still := messages(was), messages(is)
		for i := range is {
			if message := steadyMessage(is[i]); !known[message] {
				begun, known[message] = append(begun, &is[i]), true
			}
		}
		for i := range was {
			if message := steadyMessage(was[i]); was[i].Rule.Severity == finding.Error && !still[message] {
				resolved, still[message] = append(resolved, &was[i]), true
			}
		}
	}
	return begun, resolved
}

// comparePlaces compares the first findings of two lists, without their messages. An empty list is
// greater than all others.
func comparePlaces(a, b []finding.Finding) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(b), len(a))
	}
	one, other := a[0], b[0]
	one.Message, other.Message = "", ""
	return finding.Compare(one, other)
}

// cutPlace splits a list after the findings that differ from the first only by their messages.
func cutPlace(all []finding.Finding) (first, rest []finding.Finding) {
	n := 1
	for n < len(all) && comparePlaces(all, all[n:]) == 0 {
		n++
	}
	return all[:n], all[n:]
}

func messages(findings []finding.Finding) map[string]bool {
	all := make(map[string]bool, len(findings))
	for _, f := range findings {
		all[steadyMessage(f)] = true
	}
	return all
}

// steadyMessage returns the message of a finding, without digits if a store has failed.
func steadyMessage(f finding.Finding) string {
	if f.Rule.ID == finding.StoreFailed().ID {
		return steady(f.Message)
	}
	return f.Message
}
