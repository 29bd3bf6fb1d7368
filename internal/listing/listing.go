// Package listing converts the data of a round, a store, a cluster or a daemon to rows, and rows to
// text. Texts in rows are escaped when they are printed.
package listing

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Kind is a kind of rows.
type Kind string

// The values of Kind.
const (
	Placements   Kind = "placements"
	Destinations Kind = "destinations"
	Stores       Kind = "stores"
	Conflicts    Kind = "conflicts"
)

// Kinds returns all values of Kind.
func Kinds() []Kind { return []Kind{Placements, Destinations, Stores, Conflicts} }

// Listing contains the rows of a source.
type Listing struct {
	Placements   []Placement
	Destinations []Destination
	Stores       []Store
	Conflicts    []Conflict
	// Lacks maps each fact that the source does not have to advice for the user.
	Lacks map[Fact]string
}

// Fact is a property that not all sources have.
type Fact string

// The values of Fact.
const (
	Labels   Fact = "labels"
	Promises Fact = "Promises"
	Problems Fact = "conflicts"
)

// Item is a row.
type Item interface {
	// Name returns the name that commands accept.
	Name() string
	key() string
	cells() []string
	facts() facts
	// deleted returns the row with the state "deleted".
	deleted() Item
}

// facts are the properties that filters compare.
type facts struct {
	names                                     []string
	namespaces, promises, destinations, state []string
	labels                                    map[string]string
}

const deletedState = "deleted"

// Placement is the row of a group of a Work, on a Destination or on none.
type Placement struct {
	Namespace   string `json:"namespace,omitempty"`
	Work        string `json:"work"`
	Group       string `json:"group"`
	Destination string `json:"destination,omitempty"`
	State       string `json:"state"`
	Promise     string `json:"promise,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Store       string `json:"store,omitempty"`
	// Revision is the revision of the store that has the placement.
	Revision string            `json:"revision,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// Destination is the row of a Destination.
type Destination struct {
	DestinationName string            `json:"name"`
	State           string            `json:"state"`
	Placements      int               `json:"placements"`
	HeldBack        int               `json:"heldBack"`
	Store           string            `json:"store,omitempty"`
	Path            string            `json:"path,omitempty"`
	Mode            string            `json:"mode,omitempty"`
	Reason          string            `json:"reason,omitempty"`
	Labels          map[string]string `json:"labels,omitempty"`
}

// Store is the row of a state store.
type Store struct {
	Kind         string            `json:"kind"`
	StoreName    string            `json:"name"`
	State        string            `json:"state"`
	Revision     string            `json:"revision,omitempty"`
	Destinations int               `json:"destinations"`
	Placements   int               `json:"placements"`
	URL          string            `json:"url,omitempty"`
	Reason       string            `json:"reason,omitempty"`
	Labels       map[string]string `json:"labels,omitempty"`
}

// Conflict is the row of a finding.
type Conflict struct {
	Rule     string `json:"rule"`
	RuleName string `json:"ruleName"`
	Severity string `json:"severity"`
	Object   string `json:"object"`
	File     string `json:"file,omitempty"`
	// With are the other objects of the conflict.
	With    []string `json:"with,omitempty"`
	Message string   `json:"message"`
	Fix     string   `json:"fix,omitempty"`
	Flux    string   `json:"flux,omitempty"`
}

// Name returns the name of the Work.
func (p Placement) Name() string { return join(p.Namespace, p.Work) }

func (p Placement) key() string {
	return p.Namespace + "\x00" + p.Work + "\x00" + p.Group + "\x00" + p.Destination
}

func (p Placement) cells() []string {
	return []string{p.Namespace, p.Work, p.Group, p.Destination, p.State, p.Promise, p.Resource, p.Store, p.Reason}
}

func (p Placement) facts() facts {
	return facts{
		names: []string{p.Work, p.Name()}, namespaces: []string{p.Namespace}, promises: []string{p.Promise}, destinations: []string{p.Destination},
		state: []string{p.State}, labels: p.Labels,
	}
}

func (p Placement) deleted() Item {
	p.State, p.Reason = deletedState, ""
	return p
}

// Name returns the name of the Destination.
func (d Destination) Name() string { return d.DestinationName }

func (d Destination) key() string { return d.DestinationName }

func (d Destination) cells() []string {
	return []string{d.DestinationName, d.State, strconv.Itoa(d.Placements), strconv.Itoa(d.HeldBack), d.Store, d.Path, d.Mode, labelText(d.Labels), d.Reason}
}

func (d Destination) facts() facts {
	return facts{names: []string{d.DestinationName}, destinations: []string{d.DestinationName}, state: []string{d.State}, labels: d.Labels}
}

func (d Destination) deleted() Item {
	d.State, d.Reason = deletedState, ""
	return d
}

// Name returns the kind and the name of the store.
func (s Store) Name() string { return join(s.Kind, s.StoreName) }

func (s Store) key() string { return s.Name() }

func (s Store) cells() []string {
	return []string{s.StoreName, s.Kind, s.State, s.Revision, strconv.Itoa(s.Destinations), strconv.Itoa(s.Placements), s.URL, s.Reason}
}

func (s Store) facts() facts {
	return facts{names: []string{s.StoreName, s.Name()}, state: []string{s.State}, labels: s.Labels}
}

func (s Store) deleted() Item {
	s.State, s.Reason = deletedState, ""
	return s
}

// Name returns the name of the object, without its kind.
func (c Conflict) Name() string { return objectName(c.Object) }

func (c Conflict) key() string {
	return strings.Join(append([]string{c.Rule, c.Object, c.File, c.Message}, c.With...), "\x00")
}

func (c Conflict) cells() []string {
	return []string{c.Rule, c.RuleName, c.Object, strings.Join(c.With, ","), c.File, c.Message}
}

func (c Conflict) facts() facts {
	all := facts{names: []string{c.Rule, c.RuleName}, state: []string{c.Severity}}
	for _, object := range append([]string{c.Object}, c.With...) {
		name := objectName(object)
		namespace, base, namespaced := strings.Cut(name, "/")
		all.names = append(all.names, object, name)
		if namespaced {
			all.names, all.namespaces = append(all.names, base), append(all.namespaces, namespace)
		}
		if destination, ok := strings.CutPrefix(object, "Destination "); ok {
			all.destinations = append(all.destinations, destination)
		}
	}
	return all
}

func (c Conflict) deleted() Item {
	c.Severity, c.Message = deletedState, deletedState
	return c
}

// Items returns the rows of a kind, sorted.
func (l *Listing) Items(kind Kind) []Item {
	switch kind {
	case Placements:
		return items(l.Placements, func(a, b Placement) int {
			return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Work, b.Work), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Destination, b.Destination))
		})
	case Destinations:
		return items(l.Destinations, func(a, b Destination) int { return cmp.Compare(a.DestinationName, b.DestinationName) })
	case Stores:
		return items(l.Stores, func(a, b Store) int {
			return cmp.Or(cmp.Compare(a.StoreName, b.StoreName), cmp.Compare(a.Kind, b.Kind))
		})
	case Conflicts:
		return items(l.Conflicts, func(a, b Conflict) int {
			return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.File, b.File), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
		})
	}
	return nil
}

func items[T Item](all []T, compare func(a, b T) int) []Item {
	if !slices.IsSortedFunc(all, compare) {
		all = slices.SortedStableFunc(slices.Values(all), compare)
	}
	sorted := make([]Item, len(all))
	for i := range all {
		sorted[i] = all[i]
	}
	return sorted
}

// Count sets the numbers of placements and Destinations. It adds rows for unknown Destinations.
func (l *Listing) Count() {
	at := make(map[string]int, len(l.Destinations))
	for i := range l.Destinations {
		at[l.Destinations[i].DestinationName] = i
	}
	storeAt := make(map[string]int, len(l.Stores))
	for i := range l.Stores {
		storeAt[l.Stores[i].Kind+" "+l.Stores[i].StoreName] = i
	}
	for i := range l.Placements {
		p := &l.Placements[i]
		if p.Destination == "" {
			continue
		}
		place, known := at[p.Destination]
		if !known {
			place = len(l.Destinations)
			at[p.Destination] = place
			l.Destinations = append(l.Destinations, Destination{DestinationName: p.Destination, State: unknownState, Store: p.Store})
		}
		d := &l.Destinations[place]
		if p.Store == "" {
			p.Store = d.Store
		}
		switch {
		case p.State == "held back":
			d.HeldBack++
		case p.State != "removed":
			d.Placements++
			if store, known := storeAt[kratix.ObjectOf(d.Store)]; known {
				l.Stores[store].Placements++
			}
		}
	}
	for i := range l.Destinations {
		if store, known := storeAt[kratix.ObjectOf(l.Destinations[i].Store)]; known {
			l.Stores[store].Destinations++
		}
	}
}

const unknownState = "unknown"

func join(first, second string) string {
	if first == "" {
		return second
	}
	return first + "/" + second
}

func objectName(object string) string {
	_, name, found := strings.Cut(object, " ")
	if !found {
		return object
	}
	return name
}

func labelText(labels map[string]string) string {
	if len(labels) == 0 {
		return "<none>"
	}
	pairs := make([]string, 0, len(labels))
	for key, value := range labels {
		pairs = append(pairs, key+"="+value)
	}
	slices.Sort(pairs)
	return strings.Join(pairs, ",")
}
