package components

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Group is the findings about one object, or about all objects that the same Works claim.
type Group struct {
	// ID is the anchor of the group.
	ID string
	// Title is the object: a Kubernetes object or a path that several Works claim, a Work, a store
	// or a file.
	Title string
	// Others is the number of further objects that the same Works claim.
	Others   int
	Severity string
	// Claimants are the claimants of the object, up to MaxItems. The list is empty if the findings are
	// not about a conflict.
	Claimants []Place
	Problems  []Problem
	// Count is the number of findings.
	Count int
	// seen are the claimants and the messages of the group. problems are the indices of its
	// Problems.
	seen     map[string]bool
	problems map[problemKey]int
}

type problemKey struct{ rule, fix string }

// Problem is the findings of a Group with one rule and one fix.
type Problem struct {
	Rule, Name, Severity string
	Items                []Item
	// Flux are different error messages of Flux, at most maxQuotes.
	Flux []string
	Fix  string
	// More is the number of findings that are left out.
	More int
}

// Item is one finding.
type Item struct {
	Message string
	At      Place
	With    []Place
}

// Place is the place of a finding, with a link to its object if there is one.
type Place struct {
	Text, Note, Link string
}

// Options configure Groups.
type Options struct {
	// Place returns a place as text with a link. It may be nil.
	Place func(finding.Place) Place
	// MaxItems is the maximum number of findings of a Problem, and of the claimants of a Group. Zero
	// means no maximum.
	MaxItems int
}

// Groups returns the findings grouped by object, in the order of the first finding of each group.
// The findings must be sorted by severity, the highest first.
func Groups(findings []finding.Finding, options Options) []Group {
	claimants := claimantsOf(findings)
	var all []Group
	at := map[string]int{}
	subjects := map[string]bool{}
	for i := range findings {
		f := &findings[i]
		key := titleOf(f)
		if of, conflicts := claimants[f.Subject]; conflicts {
			key = of
		}
		n, known := at[key]
		if !known {
			n = len(all)
			at[key] = n
			all = append(all, Group{ID: Anchor(key), Title: titleOf(f), Severity: f.Rule.Severity.String(), seen: map[string]bool{}, problems: map[problemKey]int{}})
		}
		if known && f.Subject != "" && f.Subject != all[n].Title && !subjects[f.Subject] {
			all[n].Others++
		}
		subjects[f.Subject] = true
		all[n].add(f, options)
	}
	return all
}

// claimantsOf maps the subject of each conflict to its claimants, as one text.
func claimantsOf(findings []finding.Finding) map[string]string {
	sets := map[string]map[string]bool{}
	for i := range findings {
		f := &findings[i]
		if f.Subject == "" || len(f.Related) == 0 {
			continue
		}
		if sets[f.Subject] == nil {
			sets[f.Subject] = map[string]bool{}
		}
		sets[f.Subject][f.Place.Object] = true
		for _, related := range f.Related {
			sets[f.Subject][related.Place.Object] = true
		}
	}
	texts := make(map[string]string, len(sets))
	for subject, set := range sets {
		texts[subject] = strings.Join(slices.Sorted(maps.Keys(set)), "\n")
	}
	return texts
}

func titleOf(f *finding.Finding) string {
	return cmp.Or(f.Subject, f.Place.Object, f.Place.File, f.Rule.Name)
}

func (g *Group) add(f *finding.Finding, options Options) {
	g.Count++
	if f.Subject != "" && len(f.Related) > 0 {
		for _, related := range f.Related {
			g.claim(options.place(whole(related.Place), related.Message), options)
		}
		g.claim(options.place(whole(f.Place), ""), options)
	}
	fix := f.Advice()
	n, known := g.problems[problemKey{f.Rule.ID, fix}]
	if !known {
		n = len(g.Problems)
		g.problems[problemKey{f.Rule.ID, fix}] = n
		g.Problems = append(g.Problems, Problem{Rule: f.Rule.ID, Name: f.Rule.Name, Severity: f.Rule.Severity.String(), Fix: fix})
	}
	p := &g.Problems[n]
	if f.Flux != "" && !slices.Contains(p.Flux, f.Flux) && len(p.Flux) < maxQuotes {
		p.Flux = append(p.Flux, f.Flux)
	}
	if f.Subject != "" && g.again("message "+f.Message) {
		return // the claimants are listed above
	}
	if options.MaxItems > 0 && len(p.Items) >= options.MaxItems {
		p.More++
		return
	}
	item := Item{Message: f.Message, At: options.place(f.Place, "")}
	for _, related := range f.Related {
		item.With = append(item.With, options.place(related.Place, related.Message))
	}
	p.Items = append(p.Items, item)
}

const maxQuotes = 5

// whole returns a place without its file and line, or the place unchanged if it has no object.
func whole(p finding.Place) finding.Place {
	if p.Object != "" {
		return finding.Place{Object: p.Object}
	}
	return p
}

func (g *Group) claim(p Place, options Options) {
	if (options.MaxItems == 0 || len(g.Claimants) < options.MaxItems) && !g.again("claimant "+p.Text) {
		g.Claimants = append(g.Claimants, p)
	}
}

// again reports whether it was called with the same text before.
func (g *Group) again(text string) bool {
	if g.seen[text] {
		return true
	}
	g.seen[text] = true
	return false
}

func (o Options) place(p finding.Place, note string) Place {
	if o.Place == nil {
		return Place{Text: p.String(), Note: note}
	}
	of := o.Place(p)
	of.Note = note
	return of
}

// Anchor returns the ID of the group of an object, which is valid in a URL.
func Anchor(title string) string {
	const prime, offset = 1099511628211, 14695981039346656037 // FNV-1a
	hash := uint64(offset)
	for i := range len(title) {
		hash = (hash ^ uint64(title[i])) * prime
	}
	return "o" + strconv.FormatUint(hash, 36)
}
