package page

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type index struct {
	entries []entry
	// promises, namespaces and destinations are the distinct values of the entries.
	promises, namespaces, destinations names
	counts                             map[report.State]int
	// failing is the number of placements on which an agent fails.
	failing int
	stores  map[string]*report.Store
}

type entry struct {
	// search is the lower-case key of the Work.
	search                          string
	promise, namespace, destination int32
	// failing means that the agent of the Destination fails on an object of the placement.
	failing bool
}

// names are distinct strings, numbered from 0, with the number of placements of each.
type names struct {
	all   []string
	count []int
	at    map[string]int32
	last  int32
}

func (n *names) add(name string) int32 {
	if n.at == nil {
		n.at = map[string]int32{}
	}
	if len(n.all) > 0 && n.all[n.last] == name { // many placements have the namespace of their predecessor
		n.count[n.last]++
		return n.last
	}
	i, known := n.at[name]
	if !known {
		i = int32(len(n.all)) //nolint:gosec // there are fewer than 2^31 placements
		n.at[strings.Clone(name)] = i
		n.all, n.count = append(n.all, name), append(n.count, 0)
	}
	n.count[i]++
	n.last = i
	return i
}

// number returns the number of a name, or -1 for an unknown name.
func (n *names) number(name string) int32 {
	if i, known := n.at[name]; known {
		return i
	}
	return -1
}

func (n *names) load(name string) int {
	if i := n.number(name); i >= 0 {
		return n.count[i]
	}
	return 0
}

func (n *names) sorted() []string {
	return slices.DeleteFunc(slices.Sorted(slices.Values(n.all)), func(name string) bool { return name == "" })
}

func newIndex(r Round) *index {
	x := &index{counts: r.Report.Counts(), stores: map[string]*report.Store{}, entries: make([]entry, 0, len(r.Report.Placements))}
	failing := map[kratix.Key]bool{}
	for _, delivery := range r.Report.Deliveries {
		for _, claimant := range delivery.Failing {
			failing[claimant.Placement] = true
		}
	}
	promise := promises(r)
	for i := range r.Report.Placements {
		p := &r.Report.Placements[i]
		e := entry{search: strings.ToLower(p.Work), destination: x.destinations.add(p.Destination), namespace: x.namespaces.add(namespaceOf(p.Work))}
		if p.Object != nil {
			e.promise = x.promises.add(p.Object.Spec.PromiseName)
			e.failing = len(failing) > 0 && failing[kratix.KeyOf(p.Object)]
		} else {
			e.promise = x.promises.add(promise[p.Work])
		}
		if e.failing {
			x.failing++
		}
		x.entries = append(x.entries, e)
	}
	for i := range r.Report.Stores {
		for _, name := range r.Report.Stores[i].Covered {
			x.stores[name] = &r.Report.Stores[i]
		}
	}
	return x
}

// promises returns the Promises of the Works with a placement without an object, by the key of the
// Work.
func promises(r Round) map[string]string {
	of := map[string]string{}
	for _, p := range r.Report.Placements {
		if p.Object == nil {
			of[p.Work] = ""
		}
	}
	if len(of) == 0 || r.Input == nil {
		return of
	}
	for _, work := range r.Input.Works {
		key := kratix.KeyOf(work).String()
		if _, wanted := of[key]; wanted {
			of[key] = work.Spec.PromiseName
		}
	}
	return of
}

func namespaceOf(work string) string {
	namespace, _, named := strings.Cut(work, "/")
	if !named {
		return ""
	}
	return namespace
}

func (s *state) find(p Placement) int {
	all := s.Report.Placements
	i, _ := slices.BinarySearchFunc(all, p, func(a report.Placement, b Placement) int {
		return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Directory, b.Directory), cmp.Compare(a.Destination, b.Destination))
	})
	if i < len(all) && (Placement{all[i].Work, all[i].Directory, all[i].Destination}) == p {
		return i
	}
	return -1
}
