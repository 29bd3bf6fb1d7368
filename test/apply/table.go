package apply

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Table counts, by row, the objects that the API server has refused, and the foreseen refusals.
type Table struct {
	mu   sync.Mutex
	rows map[string]*row
}

type row struct {
	accepted, refused, foreseen, verbatim int
	misses                                map[string]int
	examples                              []string
	otherWords                            []string
}

func (t *Table) at(name string, do func(*row)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[string]*row{}
	}
	if t.rows[name] == nil {
		t.rows[name] = &row{misses: map[string]int{}}
	}
	do(t.rows[name])
}

// Refused returns the number of refused objects in a row.
func (t *Table) Refused(name string) (count int) {
	t.at(name, func(r *row) { count = r.refused })
	return count
}

// Sum returns the totals of the rows for which selects returns true.
func (t *Table) Sum(selects func(name string) bool) (refused, foreseen int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, r := range t.rows {
		if selects(name) {
			refused, foreseen = refused+r.refused, foreseen+r.foreseen
		}
	}
	return refused, foreseen
}

// String returns the table as Markdown, followed by the refusals that were not foreseen.
func (t *Table) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b, misses, words strings.Builder
	b.WriteString("\n| Fault | Accepted | Refused | Foreseen | % | In the server's words |\n|---|---|---|---|---|---|\n")
	for _, name := range sorted(t.rows) {
		r := t.rows[name]
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %.1f | %d |\n", name, r.accepted, r.refused, r.foreseen, percent(r.foreseen, r.refused), r.verbatim)
		for _, pair := range r.otherWords {
			fmt.Fprintf(&words, "\n%s: in other words\n  %s\n", name, pair)
		}
		if len(r.misses) == 0 {
			continue
		}
		fmt.Fprintf(&misses, "\n%s: missed\n", name)
		said := sorted(r.misses)
		slices.SortStableFunc(said, func(a, b string) int { return r.misses[b] - r.misses[a] })
		for _, miss := range said[:min(len(said), 40)] {
			fmt.Fprintf(&misses, "%5d  %s\n", r.misses[miss], miss)
		}
		for _, example := range r.examples {
			misses.WriteString("  " + strings.ReplaceAll(example, "\n", "\n  ") + "\n")
		}
	}
	return b.String() + misses.String() + words.String()
}

func percent(part, whole int) float64 { return 100 * float64(part) / float64(max(whole, 1)) }

func sorted[V any](m map[string]V) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
