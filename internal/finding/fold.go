package finding

import (
	"fmt"
	"iter"
	"strconv"
)

// mostEach is the number of similar findings that Fold does not merge.
const mostEach = 3

// noise identifies findings that are similar to each other.
type noise struct {
	rule    string
	message string
}

// noiseOf returns the identity of similar findings, or false if Fold does not merge the finding.
func noiseOf(f Finding) (noise, bool) {
	switch {
	case f.Rule == IgnoredObject(), f.Rule == UnreadableInput() && f.Cause == NoObject:
		return noise{rule: f.Rule.ID}, true
	case f.Rule == UnknownField():
		return noise{f.Rule.ID, f.Message}, true
	case f.Rule.ID == NamespaceMissing().ID && f.Rule.Severity == Warning:
		return noise{f.Rule.ID, string(f.Cause)}, true
	}
	return noise{}, false
}

// group contains the number of similar findings, and their files.
type group struct {
	count int
	files map[string]struct{}
}

// Fold yields findings in the same order, with many similar findings merged into the first. It
// ranges over the findings twice.
func Fold(findings iter.Seq[Finding]) iter.Seq[Finding] {
	return func(yield func(Finding) bool) {
		crowds := crowdsOf(findings)
		reported := map[noise]bool{}
		for f := range findings {
			if kind, is := noiseOf(f); is && crowds[kind].count > mostEach {
				if reported[kind] {
					continue
				}
				f.Message = crowds[kind].message(f) + "; -v lists them"
				reported[kind] = true
			}
			if !yield(f) {
				return
			}
		}
	}
}

func crowdsOf(findings iter.Seq[Finding]) map[noise]*group {
	crowds := map[noise]*group{}
	for f := range findings {
		kind, is := noiseOf(f)
		if !is {
			continue
		}
		if crowds[kind] == nil {
			crowds[kind] = &group{files: map[string]struct{}{}}
		}
		crowds[kind].count++
		crowds[kind].files[f.Place.File] = struct{}{}
	}
	return crowds
}

// FoldConflicts yields findings in the same order, with the conflicts of each pair of claimants
// merged into the first. It ranges over the findings twice.
func FoldConflicts(findings iter.Seq[Finding]) iter.Seq[Finding] {
	type conflict struct{ object, with string }
	of := func(f Finding) (conflict, bool) {
		if f.Rule != DuplicateObject() || len(f.Related) == 0 {
			return conflict{}, false
		}
		return conflict{f.Place.Object, f.Related[0].Place.Object}, true
	}
	return func(yield func(Finding) bool) {
		counts := map[conflict]int{}
		for f := range findings {
			if two, is := of(f); is {
				counts[two]++
			}
		}
		for f := range findings {
			two, is := of(f)
			switch {
			case !is || counts[two] == 1:
			case counts[two] == 0:
				continue // merged into the first conflict of the two claimants
			default:
				f.Message += fmt.Sprintf(" (and %s more of its objects; the report has them)", Thousands(counts[two]-1))
				counts[two] = 0
			}
			if !yield(f) {
				return
			}
		}
	}
}

// Folds reports whether Fold may merge a finding with others.
func Folds(f Finding) bool {
	_, is := noiseOf(f)
	return is
}

func (c group) message(first Finding) string {
	switch first.Rule {
	case IgnoredObject():
		return Thousands(c.count) + " objects of other kinds are ignored"
	case UnknownField():
		return first.Message + ", " + Thousands(c.count) + " times"
	}
	switch first.Cause {
	case NamespaceUnset:
		return "the objects of " + Thousands(c.count) + " placements have no namespace, and neither Flux nor the API server chooses one, unless the Flux Kustomization has a targetNamespace"
	case NamespaceUnknown:
		return "objects are in a namespace that no file of their Destination creates, " + Thousands(c.count) + " times"
	}
	if files := len(c.files); files > 1 {
		return Thousands(files) + " files are not Kubernetes objects"
	}
	return Thousands(c.count) + " documents are not Kubernetes objects"
}

// Thousands formats a number with thousands separators, such as "1,000".
func Thousands(n int) string {
	if n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", Thousands(n/1000), n%1000)
}
