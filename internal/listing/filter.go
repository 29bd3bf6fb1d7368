package listing

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Filter selects rows. Its zero value selects all.
type Filter struct {
	// Names are the names of the selected rows. If it is empty, all names are selected.
	Names                                  []string
	Namespace, Promise, Destination, State string
	Selector                               labels.Selector
	isLenient                              bool
}

// LackError is the error about a fact that the source does not have.
type LackError struct {
	Fact Fact
	// Why is the message of the error.
	Why string
}

func (e *LackError) Error() string { return e.Why }

// Check returns an error if the source lacks a fact that the kind or the filter needs.
func (l *Listing) Check(kind Kind, f Filter) error {
	needs := map[Fact]bool{
		Labels: f.Selector != nil && !f.Selector.Empty(), Promises: f.Promise != "", Problems: kind == Conflicts,
	}
	for _, fact := range []Fact{Labels, Promises, Problems} {
		if why := l.Lacks[fact]; needs[fact] && why != "" {
			return &LackError{fact, why}
		}
	}
	return nil
}

// Has returns an error if the filter compares a property that rows of the kind do not have.
func (f Filter) Has(kind Kind) error {
	for _, one := range []struct {
		flag  string
		isSet bool
		kinds []Kind
	}{
		{"--namespace", f.Namespace != "", []Kind{Placements, Conflicts}},
		{"--promise", f.Promise != "", []Kind{Placements}},
		{"--destination", f.Destination != "", []Kind{Placements, Destinations, Conflicts}},
		{"--selector", f.Selector != nil && !f.Selector.Empty(), []Kind{Placements, Destinations, Stores}},
	} {
		if one.isSet && !slices.Contains(one.kinds, kind) {
			return fmt.Errorf("%s have no %s: leave %s out", kind, strings.TrimPrefix(one.flag, "--"), one.flag)
		}
	}
	return nil
}

// Select returns the rows that a filter selects, and the names that no row has.
func (f Filter) Select(rows []Item) (selected []Item, missing []string) {
	found := make(map[string]bool, len(f.Names))
	wanted := make(map[string]bool, len(f.Names))
	for _, name := range f.Names {
		wanted[name] = true
	}
	state := strings.ReplaceAll(f.State, "-", " ")
	for _, row := range rows {
		has := row.facts()
		isNamed := len(wanted) == 0
		for _, name := range has.names {
			if wanted[name] {
				found[name], isNamed = true, true
			}
		}
		if isNamed && f.matches(has, state) {
			selected = append(selected, row)
		}
	}
	for _, name := range f.Names {
		if !found[name] && !f.isLenient {
			missing = append(missing, name)
		}
	}
	return selected, missing
}

func (f Filter) matches(has facts, state string) bool {
	return isAmong(f.Namespace, has.namespaces) && isAmong(f.Promise, has.promises) && isAmong(f.Destination, has.destinations) &&
		isAmong(state, has.state) && (f.Selector == nil || f.Selector.Matches(labels.Set(has.labels)))
}

func isAmong(value string, some []string) bool { return value == "" || slices.Contains(some, value) }

// Existing returns the filter for the names of rows that exist or have existed. Select does not
// report these names as missing.
func (f Filter) Existing(names []string) Filter {
	f.Names, f.isLenient = names, true
	return f
}

// States returns the states of rows, as a filter accepts them.
func States() []string {
	all := []string{recordedState, readyState, failedState, cordonedState, unusedState, unknownState, "error", "warning"}
	for _, state := range report.States() {
		all = append(all, strings.ReplaceAll(string(state), " ", "-"))
	}
	slices.Sort(all)
	return all
}
