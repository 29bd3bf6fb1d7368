package apply

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
)

// TestForesight compares applycheck with the API server.
func TestForesight(t *testing.T) {
	f := newFixture(t)
	c := &comparison{fixture: f, t: t, accepted: map[int][]sample{}, alarms: map[string]int{}, destinations: f.destinations(t)}
	t.Run("NoFalseAlarm", func(t *testing.T) { c.t = t; c.valid() })
	t.Run("Mutations", func(t *testing.T) { c.t = t; c.mutate() })
	t.Run("DryRunOfOneObjectAgreesWithFlux", func(t *testing.T) { c.t = t; c.agree() })
	t.Run("RootIsAllOrNothing", func(t *testing.T) { c.t = t; c.roots() })
	t.Run("DefinitionIsRemoved", func(t *testing.T) { c.t = t; c.removed() })
}

type comparison struct {
	*fixture
	t            *testing.T
	destinations map[string]*Destination
	mu           sync.Mutex
	accepted     map[int][]sample
	alarms       map[string]int
}

type sample struct {
	name           string
	stored, wanted map[string]any
}

const steps = 12

type chain struct {
	kind    int
	example map[string]any
	stored  bool
}

func (f *fixture) chains(wanted int) []chain {
	var all []chain
	for round := 0; len(all)*steps < wanted; round++ {
		for i, kind := range slices.Sorted(maps.Keys(f.examples)) {
			examples := f.examples[kind]
			if round < len(examples) || round%len(examples) == round%3 || len(examples) < 3 {
				all = append(all, chain{kind: kind, example: examples[round%len(examples)], stored: (round+i)%2 == 1 && f.storable(kind)})
			}
		}
	}
	return all
}

func (f *fixture) storable(kind int) bool {
	return !f.fresh && !slices.Contains([]string{"APIService", "CustomResourceDefinition", "ResourceQuota", "LimitRange", "Namespace", "ServiceCIDR", "IPAddress"}, f.schemas.Kinds[kind].Kind)
}

func (c *comparison) valid() {
	var counted, asked atomic.Int64
	results := make([][]sample, 0)
	all := c.chains(3 * *objects)
	results = make([][]sample, len(all))
	c.each(len(all), func(i int) {
		if counted.Load() >= int64(*objects) && i > len(c.examples) {
			return
		}
		results[i] = c.follow(all[i], uint64(i), &asked)
		counted.Add(int64(len(results[i])))
	})
	kinds := map[int]bool{}
	for i, samples := range results {
		if len(samples) > 0 {
			kinds[all[i].kind] = true
			c.accepted[all[i].kind] = append(c.accepted[all[i].kind], samples...)
		}
	}
	c.t.Logf("the API server accepts %d of %d objects of %d kinds; held back of them, by kind: %v", counted.Load(), asked.Load(), len(kinds), c.alarms)
	if len(c.alarms) > 0 {
		c.t.Error("objects that the API server accepts are held back")
	}
	if counted.Load() < int64(*objects) {
		c.t.Errorf("the API server accepts only %d objects, want %d", counted.Load(), *objects)
	}
}

func (c *comparison) follow(of chain, number uint64, asked *atomic.Int64) (samples []sample) {
	m := NewMaker(c.schemas, *seed, number)
	kind := c.schemas.Kinds[of.kind]
	name := fmt.Sprint("n", number)
	now := sample{name: name, wanted: of.example}
	if err := c.DryRun(c.t.Context(), render(c.t, of.example, name)); err != nil {
		c.t.Errorf("the example of %s is refused: %s\n%s", kind, Words(err), render(c.t, of.example, name))
		return nil
	}
	if of.stored {
		if err := c.Apply(c.t.Context(), render(c.t, of.example, name)); err != nil {
			c.t.Errorf("the example of %s is refused: %s", kind, Words(err))
			return nil
		}
		now.stored = of.example
	}
	for range steps {
		next := now
		next.wanted = m.Grow(kind, now.wanted)
		asked.Add(1)
		if c.DryRun(c.t.Context(), render(c.t, next.wanted, name)) != nil {
			continue
		}
		now = next
		samples = append(samples, now)
		c.alarmed(kind, now)
	}
	return samples
}

func (c *comparison) alarmed(kind Kind, s sample) {
	for about, destination := range c.destinations {
		said := destination.Foresee(c.render(s.stored, s.name), c.render(s.wanted, s.name))
		if said.Quarantined == "" {
			continue
		}
		c.mu.Lock()
		if c.alarms[kind.Kind+" "+about]++; c.alarms[kind.Kind+" "+about] <= *show {
			c.t.Errorf("false alarm, %s (%s): %s\n%sstored:\n%swanted:\n%s", kind.GroupVersionKind, about, said.Quarantined, said.Words(), c.render(s.stored, s.name), c.render(s.wanted, s.name))
		}
		c.mu.Unlock()
	}
}

func (c *comparison) render(object map[string]any, name string) []byte {
	if object == nil {
		return nil
	}
	return render(c.t, object, name)
}

// immutable is the table row of changes that the API server refuses because of the stored object.
const immutable = "immutable change"

// aside is the table row of changed values in built-in kinds. Schemas do not contain many of the
// rules for these values.
const aside = "value of a built-in kind"

func (c *comparison) mutate() {
	table, chosen := &Table{}, regexp.MustCompile(*rows)
	each := (*mutations + len(Mutations) - 1) / len(Mutations) // the number of refusals for each row
	for row, mutation := range Mutations {
		if !chosen.MatchString(mutation.Row) {
			continue
		}
		c.row(table, mutation.Row, each, uint64(row+1), mutation.Of, func(m *Maker, kind Kind, s sample) (sample, bool) {
			changed := mutation.Do(m, kind, s.wanted)
			return sample{name: s.name, stored: s.stored, wanted: changed}, changed != nil
		})
	}
	if !chosen.MatchString(immutable) {
		each = 0
	}
	c.row(table, immutable, each, 99, all, func(m *Maker, kind Kind, s sample) (sample, bool) {
		if s.stored == nil {
			return s, false
		}
		s.wanted = anotherLeaf(m, kind, s.wanted)
		return s, true
	})
	c.t.Log(table)
	for row := range table.rows {
		if table.Refused(row) < each {
			c.t.Errorf("%s: the API server refuses only %d, want %d", row, table.Refused(row), each)
		}
	}
	refused, foreseen := table.Sum(func(name string) bool { return name != aside })
	c.t.Logf("foreseen: %d of %d (%.1f %%)", foreseen, refused, percent(foreseen, refused))
	if len(c.alarms) > 0 {
		c.t.Errorf("objects that the API server accepts are held back: %v", c.alarms)
	}
	if percent(foreseen, refused) < 95 {
		c.t.Error("fewer than 95 % are foreseen")
	}
}

func (c *comparison) row(table *Table, name string, wanted int, stream uint64, of func(Kind) bool, do func(*Maker, Kind, sample) (sample, bool)) {
	var kinds []int
	for _, kind := range slices.Sorted(maps.Keys(c.accepted)) {
		if of(c.schemas.Kinds[kind]) {
			kinds = append(kinds, kind)
		}
	}
	c.each(200*wanted, func(i int) {
		if table.Refused(name) >= wanted || len(kinds) == 0 {
			return
		}
		m := NewMaker(c.schemas, *seed, stream<<32+uint64(i))
		at := kinds[m.IntN(len(kinds))]
		from := c.accepted[at][m.IntN(len(c.accepted[at]))]
		if changed, ok := do(m, c.schemas.Kinds[at], from); ok {
			c.compare(table, name, wanted, c.schemas.Kinds[at], changed)
		}
	})
}

func (c *comparison) compare(table *Table, name string, wanted int, kind Kind, s sample) {
	err := c.DryRun(c.t.Context(), c.render(s.wanted, s.name))
	if err == nil {
		table.at(name, func(r *row) { r.accepted++ })
		c.alarmed(kind, s)
		return
	}
	if name == immutable && c.DryRun(c.t.Context(), c.render(s.wanted, s.name+"-new")) != nil {
		return // it is refused under a new name too, so not only because of an immutable field
	}
	said := c.destinations["profile"].Foresee(c.render(s.stored, s.name), c.render(s.wanted, s.name))
	words := Words(err)
	table.at(name, func(r *row) {
		if r.refused >= wanted {
			return
		}
		r.refused++
		switch {
		case said.Quarantined == "":
			r.misses[general(kind, words)]++
			if len(r.examples) < *show {
				r.examples = append(r.examples, fmt.Sprintf("%s\n%s-----\n%s", words, c.render(s.stored, s.name), shorten(c.render(s.wanted, s.name))))
			}
			return
		case verbatim(words, said):
			r.verbatim++
		case len(r.otherWords) < *show:
			r.otherWords = append(r.otherWords, words+"\n  "+said.Words())
		}
		r.foreseen++
	})
}

func verbatim(words string, said Foresight) bool {
	if strings.Contains(strings.Join(strings.Fields(said.Words()), " "), words) {
		return true
	}
	_, parts, several := strings.Cut(words, " is invalid: [")
	for _, found := range said.Findings {
		_, quoted, _ := strings.Cut(found.Flux, " is invalid: ")
		parts = strings.Replace(parts, quoted, "", 1)
	}
	const note = "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"
	return several && strings.Trim(strings.Replace(parts, note, "", 1), " ,]") == ""
}

var (
	quotedPart = regexp.MustCompile(`"[^"]*"|\[[0-9]+\]|\{[^{}]*\}`)
	number     = regexp.MustCompile(`-?[0-9]+`)
)

func general(kind Kind, words string) string {
	return kind.Kind + ": " + shorten([]byte(number.ReplaceAllString(quotedPart.ReplaceAllString(words, "…"), "0")))
}

func shorten(text []byte) string {
	const enough = 600
	if len(text) > enough {
		return string(text[:enough]) + "…"
	}
	return string(text)
}

func (f *fixture) destinations(t *testing.T) map[string]*Destination {
	t.Helper()
	version, err := f.schemas.Version(f.Judge)
	must(t, err)
	read, err := f.schemas.Profile(f.Judge)
	must(t, err)
	all := map[string]*Destination{}
	for about, of := range map[string]*profile.Profile{"version": nil, "profile": read} {
		cluster, err := applycheck.NewCluster(version, of)
		must(t, err)
		if !cluster.Certain() {
			t.Fatalf("the schemas of %s are not embedded", version)
		}
		all[about] = &Destination{Cluster: cluster, Beside: f.beside}
	}
	return all
}
