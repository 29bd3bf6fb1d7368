package telemetry

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func randomFindings(random *rand.Rand) []finding.Finding {
	rules := []finding.Rule{finding.UnreadableInput(), finding.NamespaceMissing(), finding.StoreFailed(), finding.DeprecatedAPI()}
	findings := make([]finding.Finding, random.IntN(20))
	for i := range findings {
		findings[i] = finding.Finding{
			Rule: rules[random.IntN(len(rules))], Place: finding.Place{Object: fmt.Sprint("Work ", random.IntN(3)), Line: random.IntN(2)},
			Message: fmt.Sprintf("message %c after %d tries", 'a'+rune(random.IntN(3)), random.IntN(2)),
		}
	}
	finding.Sort(findings)
	return findings
}

func TestChangedFindingsAreThoseOfOneListOnly(t *testing.T) {
	type key struct {
		rule    string
		place   finding.Place
		message string
	}
	keyOf := func(f finding.Finding) key { return key{f.Rule.ID, f.Place, steadyMessage(f)} }
	missing := func(findings, others []finding.Finding) []key {
		var keys []key
		for _, f := range findings {
			is := func(other finding.Finding) bool { return keyOf(other) == keyOf(f) }
			if !slices.ContainsFunc(others, is) && !slices.Contains(keys, keyOf(f)) {
				keys = append(keys, keyOf(f))
			}
		}
		return keys
	}
	keys := func(findings []*finding.Finding) []key {
		var all []key
		for _, f := range findings {
			all = append(all, keyOf(*f))
		}
		return all
	}
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test's own numbers
	for range 2000 {
		before, now := randomFindings(random), randomFindings(random)
		begun, resolved := changedFindings(before, now)
		if want := missing(now, before); !slices.Equal(keys(begun), want) {
			t.Fatalf("from %v\nto %v\nbegun are %v, want %v", before, now, keys(begun), want)
		}
		errors := slices.DeleteFunc(slices.Clone(before), func(f finding.Finding) bool { return f.Rule.Severity != finding.Error })
		if want := missing(errors, now); !slices.Equal(keys(resolved), want) {
			t.Fatalf("from %v\nto %v\nresolved are %v, want %v", before, now, keys(resolved), want)
		}
	}
}
