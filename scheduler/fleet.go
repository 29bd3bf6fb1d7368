package scheduler

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// fleet is all Destinations, made ready to be chosen from. It answers which of
// them fit, and groups that ask for the same share one answer.
type fleet struct {
	// sites are sorted by name.
	sites  []site
	byName map[string]int
	// limited means that some Destination has a capacity.
	limited bool
	// unread is the name of a Destination of which it is not known what is there.
	unread string
	// byAsked are the answers by what is asked; byGroup finds them by what a
	// group says, without merging that first.
	byAsked map[string]*fit
	byGroup map[uint64]*knownGroup
	speller speller
	// having are the Destinations that have a label with a value.
	having map[word]places
}

// site is one Destination and what a choice needs of it.
type site struct {
	Destination
	settings
	ready bool
	hash  uint64
}

// knownGroup is a list of selectors, spelt out, that was merged before.
type knownGroup struct {
	words []word
	fit   *fit
	// next has the same sum by accident.
	next *knownGroup
}

func newFleet(destinations []Destination) *fleet {
	f := &fleet{
		byName: map[string]int{}, byAsked: map[string]*fit{}, byGroup: map[uint64]*knownGroup{}, speller: speller{seed: maphash.MakeSeed()}, having: map[word]places{},
	}
	for _, d := range destinations {
		s := site{Destination: d, settings: settingsOf(d.Destination), ready: isReady(d.Destination), hash: hash(d.Name)}
		s.closed = cmp.Or(d.Closed, s.closed)
		f.sites = append(f.sites, s)
	}
	slices.SortStableFunc(f.sites, func(a, b site) int { return cmp.Compare(a.Name, b.Name) })
	for i := range f.sites {
		s := &f.sites[i]
		f.byName[s.Name] = i
		f.limited = f.limited || s.capacity != unlimited
		if s.Store == StoreUnread && f.unread == "" {
			f.unread = s.Name
		}
	}
	return f
}

// fits says which Destinations fit a group.
func (f *fleet) fits(work *kratix.Work, group *kratix.WorkloadGroup) *fit {
	sum := f.speller.spell(isDryRun(work), group.DestinationSelectors)
	for known := f.byGroup[sum]; known != nil; known = known.next {
		if slices.Equal(known.words, f.speller.words) {
			return known.fit
		}
	}
	asked := selectorsOf(work, group)
	key := asked.key()
	found, ok := f.byAsked[key]
	if !ok {
		found = f.evaluate(asked)
		f.byAsked[key] = found
	}
	f.byGroup[sum] = &knownGroup{words: slices.Clone(f.speller.words), fit: found, next: f.byGroup[sum]}
	return found
}

func (f *fleet) evaluate(asked selectors) *fit {
	found := &fit{asked: asked, kinds: make([]verdictKind, len(f.sites)), evenly: true}
	for i := range found.kinds {
		found.kinds[i] = refused
	}
	shut := map[string]int{}
	f.withLabels(asked).each(func(i int) {
		s := &f.sites[i]
		found.kinds[i] = kindOf(asked, s)
		switch found.kinds[i] {
		case closed:
			shut[s.closed]++
		case unreadStore:
			found.unread = append(found.unread, i)
		case open:
			found.usable = append(found.usable, i)
			found.evenly = found.evenly && s.weight == f.sites[found.usable[0]].weight
			if s.ready {
				found.ready++
			}
		}
	})
	found.closed = strings.Join(phrases(shut), ", ")
	found.spread = spread(len(found.usable), found.evenly)
	return found
}

// withLabels returns the Destinations that have all labels asked for with one
// value: few are left to be looked at closely.
func (f *fleet) withLabels(asked selectors) places {
	left := newPlaces(len(f.sites))
	for i := range left {
		left[i] = ^uint64(0)
	}
	left.cut(len(f.sites))
	for _, r := range asked {
		if r.operator == equals {
			left.and(f.labelled(r.key, r.values[0]))
		}
	}
	return left
}

func (f *fleet) labelled(key, value string) places {
	name := word{key: key, value: value}
	set, known := f.having[name]
	if !known {
		set = newPlaces(len(f.sites))
		for i := range f.sites {
			if has, ok := f.sites[i].Labels[key]; ok && has == value {
				set.add(i)
			}
		}
		f.having[name] = set
	}
	return set
}

// suits reports whether a Destination fits, whatever is known of its store and
// whatever else keeps new placements away; if not, why.
func (f *fleet) suits(found *fit, destination string) (why string, ok bool) {
	at, there := f.byName[destination]
	switch {
	case !there:
		return "it is not in the input", false
	case found.kinds[at] == refused:
		return refusal(found.asked, &f.sites[at]), false
	}
	return "", true
}

// verdicts returns the verdict on each Destination, with its reason.
func (f *fleet) verdicts(found *fit) []verdict {
	all := make([]verdict, len(f.sites))
	for i := range f.sites {
		all[i] = verdictOn(found.asked, &f.sites[i])
	}
	return all
}
