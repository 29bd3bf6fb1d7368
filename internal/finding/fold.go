package finding

import (
	"fmt"
	"strconv"
)

// mostEach is how many findings of one kind of noise are shown one by one.
const mostEach = 3

// noise names a kind of finding that comes in thousands of which each says the
// same.
type noise struct {
	rule    string
	message string
}

// noiseOf returns the kind of noise that a finding is; false for a finding that
// says something of its own.
func noiseOf(f Finding) (noise, bool) {
	switch {
	case f.Rule == IgnoredObject(), f.Rule == UnreadableInput() && f.Cause == NoObject:
		return noise{rule: f.Rule.ID}, true
	case f.Rule == UnknownField():
		return noise{f.Rule.ID, f.Message}, true
	}
	return noise{}, false
}

// crowd is how often a kind of noise occurs, and in how many files.
type crowd struct {
	count int
	files map[string]struct{}
}

// Fold returns findings with one in place of more than three of one kind of noise:
// the first of them, with a message that has their number. The others keep their
// order. Findings themselves do not change.
func Fold(findings []Finding) []Finding {
	crowds := map[noise]*crowd{}
	for _, f := range findings {
		if kind, is := noiseOf(f); is {
			if crowds[kind] == nil {
				crowds[kind] = &crowd{files: map[string]struct{}{}}
			}
			crowds[kind].count++
			crowds[kind].files[f.Place.File] = struct{}{}
		}
	}
	var folded []Finding
	told := map[noise]bool{}
	for _, f := range findings {
		kind, is := noiseOf(f)
		switch {
		case !is || crowds[kind].count <= mostEach:
			folded = append(folded, f)
		case !told[kind]:
			f.Message = crowds[kind].message(f) + "; -v lists them"
			folded = append(folded, f)
			told[kind] = true
		}
	}
	return folded
}

// FoldConflicts returns findings with one in place of all objects that two owners have
// in common, with a message that has their number. Findings themselves do not change.
func FoldConflicts(findings []Finding) []Finding {
	type conflict struct{ object, with string }
	of := func(f Finding) (conflict, bool) {
		if f.Rule != DuplicateObject() || len(f.Related) == 0 {
			return conflict{}, false
		}
		return conflict{f.Place.Object, f.Related[0].Place.Object}, true
	}
	counts := map[conflict]int{}
	for _, f := range findings {
		if two, is := of(f); is {
			counts[two]++
		}
	}
	var folded []Finding
	for _, f := range findings {
		two, is := of(f)
		switch {
		case !is || counts[two] == 1:
		case counts[two] == 0:
			continue // the first finding of the conflict stands for it
		default:
			f.Message += fmt.Sprintf(" (and %s more of its objects; the report has them)", Thousands(counts[two]-1))
			counts[two] = 0
		}
		folded = append(folded, f)
	}
	return folded
}

// Folds reports whether Fold may put a finding together with others.
func Folds(f Finding) bool {
	_, is := noiseOf(f)
	return is
}

func (c crowd) message(first Finding) string {
	switch first.Rule {
	case IgnoredObject():
		return Thousands(c.count) + " objects of other kinds take no part"
	case UnknownField():
		return first.Message + ", " + Thousands(c.count) + " times"
	}
	if files := len(c.files); files > 1 {
		return Thousands(files) + " files are no Kubernetes objects"
	}
	return Thousands(c.count) + " documents are no Kubernetes objects"
}

// Thousands returns a number with a comma after each third digit: "1,000".
func Thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", Thousands(n/1000), n%1000)
}
