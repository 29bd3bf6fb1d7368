package scheduler

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type fleet struct {
	members []member
	byName  map[string]int
	limited bool
	// unread is the name of a Destination whose store could not be read, or "".
	unread string
	// byAsked caches results by the merged selectors. byGroup caches them by the hash of a group's
	// selectors.
	byAsked map[string]*fit
	byGroup map[uint64]*knownGroup
	encoder encoder
	// having maps a label with its value to the Destinations that have this label.
	having map[encodedWord]destinationSet
}

type member struct {
	Destination
	settings
	ready bool
	hash  uint64
}

// knownGroup is an entry of the cache byGroup. next is another entry with the same hash.
type knownGroup struct {
	words []encodedWord
	fit   *fit
	next  *knownGroup
}

func newFleet(destinations []Destination) *fleet {
	f := &fleet{
		byName: map[string]int{}, byAsked: map[string]*fit{}, byGroup: map[uint64]*knownGroup{}, encoder: encoder{seed: maphash.MakeSeed()}, having: map[encodedWord]destinationSet{},
	}
	for _, d := range destinations {
		s := member{Destination: d, settings: settingsOf(d.Destination), ready: isReady(d.Destination), hash: hash(d.Name)}
		s.closed = cmp.Or(d.Closed, s.closed)
		f.members = append(f.members, s)
	}
	slices.SortStableFunc(f.members, func(a, b member) int { return cmp.Compare(a.Name, b.Name) })
	for i := range f.members {
		s := &f.members[i]
		f.byName[s.Name] = i
		f.limited = f.limited || s.capacity != unlimited
		if s.Store == StoreUnread && f.unread == "" {
			f.unread = s.Name
		}
	}
	return f
}

func (f *fleet) fits(work *kratix.Work, group *kratix.WorkloadGroup) *fit {
	sum := f.encoder.encode(isDryRun(work), group.DestinationSelectors)
	for known := f.byGroup[sum]; known != nil; known = known.next {
		if slices.Equal(known.words, f.encoder.words) {
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
	f.byGroup[sum] = &knownGroup{words: slices.Clone(f.encoder.words), fit: found, next: f.byGroup[sum]}
	return found
}

func (f *fleet) evaluate(asked selectors) *fit {
	found := &fit{asked: asked, kinds: make([]verdictKind, len(f.members)), evenly: true}
	for i := range found.kinds {
		found.kinds[i] = refused
	}
	shut := map[string]int{}
	f.withLabels(asked).each(func(i int) {
		s := &f.members[i]
		found.kinds[i] = kindOf(asked, s)
		switch found.kinds[i] {
		case closed:
			shut[s.closed]++
		case unreadStore:
			found.unread = append(found.unread, i)
		case open:
			found.usable = append(found.usable, i)
			found.evenly = found.evenly && s.weight == f.members[found.usable[0]].weight
			if s.ready {
				found.ready++
			}
		}
	})
	found.closed = strings.Join(phrases(shut), ", ")
	found.spread = spread(len(found.usable), found.evenly)
	return found
}

// withLabels returns the Destinations that satisfy the requirements with the operator equals.
func (f *fleet) withLabels(asked selectors) destinationSet {
	left := newDestinationSet(len(f.members))
	for i := range left {
		left[i] = ^uint64(0)
	}
	left.cut(len(f.members))
	for _, r := range asked {
		if r.operator == equals {
			left.intersect(f.labelled(r.key, r.values[0]))
		}
	}
	return left
}

func (f *fleet) labelled(key, value string) destinationSet {
	name := encodedWord{key: key, value: value}
	set, known := f.having[name]
	if !known {
		set = newDestinationSet(len(f.members))
		for i := range f.members {
			if has, ok := f.members[i].Labels[key]; ok && has == value {
				set.add(i)
			}
		}
		f.having[name] = set
	}
	return set
}

// suits reports whether a Destination fits, and the reason if it does not. It ignores the store and
// cordons.
func (f *fleet) suits(found *fit, destination string) (why string, ok bool) {
	at, there := f.byName[destination]
	switch {
	case !there:
		return "it is not in the input", false
	case found.kinds[at] == refused:
		return refusal(found.asked, &f.members[at]), false
	}
	return "", true
}

func (f *fleet) verdicts(found *fit) []verdict {
	all := make([]verdict, len(f.members))
	for i := range f.members {
		all[i] = verdictOn(found.asked, &f.members[i])
	}
	return all
}
