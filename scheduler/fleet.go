package scheduler

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// fleet is all Destinations, made ready to be chosen from. It answers which of
// them fit, and groups that ask for the same share one answer.
type fleet struct {
	// sites are sorted by name.
	sites  []site
	byName map[string]int
	// limited tells that some Destination has a capacity.
	limited bool
	// unread is the name of a Destination whose store could not be read.
	unread string
	// byAsked are the answers by what is asked; byGroup finds them by what a
	// group says, without merging that first.
	byAsked map[string]*fit
	byGroup map[uint64]*knownGroup
	seed    maphash.Seed
}

// site is one Destination and what a choice needs of it.
type site struct {
	Destination
	settings
	ready bool
	hash  uint64
}

// knownGroup is a list of selectors that was merged before.
type knownGroup struct {
	dryRun    bool
	selectors []kratix.Selector
	fit       *fit
	// next has the same sum by accident.
	next *knownGroup
}

func newFleet(destinations []Destination) *fleet {
	f := &fleet{
		byName: map[string]int{}, byAsked: map[string]*fit{}, byGroup: map[uint64]*knownGroup{}, seed: maphash.MakeSeed(),
	}
	for _, d := range destinations {
		s := site{Destination: d, settings: settingsOf(d.Destination), ready: isReady(d.Destination), hash: hash(d.Name)}
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
	dryRun := isDryRun(work)
	sum := f.sum(dryRun, group.DestinationSelectors)
	for known := f.byGroup[sum]; known != nil; known = known.next {
		if known.dryRun == dryRun && slices.EqualFunc(known.selectors, group.DestinationSelectors, equalSelectors) {
			return known.fit
		}
	}
	asked := selectorsOf(work, group)
	key := asked.String()
	found, ok := f.byAsked[key]
	if !ok {
		found = f.evaluate(asked)
		f.byAsked[key] = found
	}
	f.byGroup[sum] = &knownGroup{dryRun: dryRun, selectors: group.DestinationSelectors, fit: found, next: f.byGroup[sum]}
	return found
}

// sum is the same for equal selectors, and seldom for others.
func (f *fleet) sum(dryRun bool, all []kratix.Selector) uint64 {
	total := uint64(len(all))
	if dryRun {
		total = ^total
	}
	for _, s := range all {
		pairs := maphash.String(f.seed, s.Source)
		for key, value := range s.MatchLabels { // a sum knows no order
			pairs += mix(maphash.String(f.seed, key) ^ maphash.String(f.seed, value)<<1)
		}
		for _, e := range s.MatchExpressions {
			pairs = mix(pairs ^ maphash.String(f.seed, e.Key))
		}
		total = mix(total ^ pairs)
	}
	return total
}

func equalSelectors(a, b kratix.Selector) bool {
	return a.Source == b.Source && maps.Equal(a.MatchLabels, b.MatchLabels) &&
		slices.EqualFunc(a.MatchExpressions, b.MatchExpressions, func(a, b metav1.LabelSelectorRequirement) bool {
			return a.Key == b.Key && a.Operator == b.Operator && slices.Equal(a.Values, b.Values)
		})
}

func (f *fleet) evaluate(asked selectors) *fit {
	found := &fit{asked: asked, kinds: make([]verdictKind, len(f.sites)), evenly: true}
	shut := map[string]int{}
	for i := range f.sites {
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
	}
	found.closed = strings.Join(phrases(shut), ", ")
	found.spread = spread(len(found.usable), found.evenly)
	return found
}

// suits tells whether a Destination fits, whatever is known of its store and
// whatever else keeps new placements away; if not, why.
func (f *fleet) suits(found *fit, destination string) (why string, ok bool) {
	at, there := f.byName[destination]
	switch {
	case !there:
		return "it is not there any more", false
	case found.kinds[at] == refused:
		return refusal(found.asked, &f.sites[at]), false
	}
	return "", true
}

// verdicts gives the verdict on each Destination, with its reason.
func (f *fleet) verdicts(found *fit) []verdict {
	all := make([]verdict, len(f.sites))
	for i := range f.sites {
		all[i] = verdictOn(found.asked, &f.sites[i])
	}
	return all
}
