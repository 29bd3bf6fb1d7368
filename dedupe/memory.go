package dedupe

import (
	"bytes"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Memory is what Check and CheckCluster remember of the roots of one cluster:
// the index of everything that is wanted. The next check of a root reads only
// what has changed, and has nothing to decide while nothing in it clashes. The
// zero Memory is empty; one that is lost costs time and nothing else. It keeps
// the files that it was given, which must not be changed in place. It must not
// be used by two goroutines at a time.
type Memory struct {
	roots   map[tree.Path]*remembered
	cluster clusterIndex
	// fits means that at the last CheckCluster there was nothing to decide.
	fits bool
}

// remembered is the index of one root.
type remembered struct {
	ignored *kustomize.Ignored
	foreign known
	claims  []*known
	index   *index
	paths   pathCounts
	cluster *clusterIndex
	total
}

// total counts what keeps a root from being settled at a glance, and what a
// build of it costs.
type total struct {
	// broken counts files that fail Flux's root, kustomizations those that change
	// what others mean, stakes the objects in others' files, notes what is reported of
	// files and holds nothing.
	broken, kustomizations, stakes, notes int
	objects, bytes                        int
}

func (t *total) add(o total, sign int) {
	t.broken += sign * o.broken
	t.kustomizations += sign * o.kustomizations
	t.stakes += sign * o.stakes
	t.notes += sign * o.notes
	t.objects += sign * o.objects
	t.bytes += sign * o.bytes
}

// known is a claim, as it was read.
type known struct {
	owner
	name, object string
	dir          tree.Path
	files        []File
	entries      []*entry
	// found is nil when there is nothing to tell.
	found *troubles
	total
	joined bool
	// seen means that the claim is there in this check.
	seen bool
}

func newKnown(claim *Claim) *known {
	return &known{name: claim.Rank.Name, object: claim.Object, dir: claim.Dir, files: claim.now(), joined: claim.Joined, seen: true}
}

// root returns what is remembered of a root; of nothing when there is no Memory.
func (m *Memory) root(root Root) *remembered {
	if m == nil {
		m = &Memory{}
	}
	found := m.roots[root.Path]
	if found == nil || !found.ignored.Equal(root.Ignored) {
		if found != nil {
			m.cluster.stale = true
		}
		found = &remembered{ignored: root.Ignored, index: newIndex(), cluster: &m.cluster}
		if m.roots == nil {
			m.roots = map[tree.Path]*remembered{}
		}
		m.roots[root.Path] = found
	}
	return found
}

// update makes the index that of a root; it costs a look at each claim, and the
// reading of those that have changed.
func (m *remembered) update(r *reader) {
	changed := m.match(r.root)
	foreignChanged := !sameFiles(m.foreign.files, r.root.Foreign)
	var contents [][]byte
	for _, k := range changed {
		contents = r.appendContents(contents, k.files)
	}
	if foreignChanged {
		contents = r.appendContents(contents, r.root.Foreign)
	}
	r.root.Cache.Load(contents)
	if foreignChanged {
		m.forget(&m.foreign)
		m.foreign = known{files: r.root.Foreign}
		r.know(&m.foreign, nil, &Claim{})
		m.learn(&m.foreign)
	}
	for _, k := range changed {
		r.know(k, &k.owner, &r.root.Claims[k.at])
		m.learn(k)
	}
}

// match finds each claim in what is remembered, and forgets those that are
// gone. It returns the claims that are to be read.
func (m *remembered) match(root Root) (changed []*known) {
	now := make([]*known, len(root.Claims))
	var byName map[string][]*known
	next := 0
	for i, claim := range root.Claims {
		var before *known
		switch {
		case next < len(m.claims) && m.claims[next].name == claim.Rank.Name && !m.claims[next].seen:
			before = m.claims[next]
			next++
		case next < len(m.claims) || byName != nil:
			if byName == nil {
				byName = map[string][]*known{}
				for _, k := range m.claims {
					byName[k.name] = append(byName[k.name], k)
				}
			}
			if at := slices.IndexFunc(byName[claim.Rank.Name], func(k *known) bool { return !k.seen }); at >= 0 {
				before = byName[claim.Rank.Name][at]
				next = before.at + 1
			}
		}
		if before != nil && before.stillIs(claim) {
			before.seen, now[i] = true, before
			continue
		}
		now[i] = newKnown(&claim)
		changed = append(changed, now[i])
	}
	for _, k := range m.claims {
		if !k.seen {
			m.forget(k)
		}
	}
	for i, k := range now {
		k.at, k.seen = i, false
	}
	m.claims = now
	return changed
}

// stillIs reports whether a claim comes to the same entries as when it was read.
func (k *known) stillIs(claim Claim) bool {
	return k.object == claim.Object && k.dir == claim.Dir && k.joined == claim.Joined && k.stakes == claim.stakes() && sameFiles(k.files, claim.now())
}

func sameFiles(a, b []File) bool {
	return slices.EqualFunc(a, b, func(x, y File) bool {
		return x.Path == y.Path && x.Place == y.Place && bytes.Equal(x.Content, y.Content)
	})
}

// now returns the files of a claim that is written whenever it may be.
func (c *Claim) now() []File {
	if c.Kept {
		return c.Stored
	}
	return c.Wanted
}

// stakes counts the objects that a claim which is not written may have in
// others' files.
func (c *Claim) stakes() int {
	if c.Kept {
		return len(c.Shared)
	}
	return 0
}

// know reads a claim by itself, without regard to kustomizations.
func (r *reader) know(k *known, of *owner, claim *Claim) {
	var found troubles
	for _, file := range k.files {
		if r.root.Ignored.Has(file.Path) {
			continue
		}
		if kustomize.IsKustomization(file.Path) {
			k.kustomizations++
		} else if kustomize.Loads(file.Path) {
			k.entries = append(k.entries, r.parseFile(of, file, &found)...)
		} else {
			r.noteOverlooked(file, &found)
		}
	}
	found.noteNothing(claim, k.entries)
	if k.total.broken, k.total.notes = len(found.broken), len(found.notes); k.total.broken+k.total.notes > 0 {
		k.found = &found
	}
	for _, e := range k.entries {
		k.objects++
		if e.position == 1 {
			k.bytes += len(e.text)
		}
	}
	k.entries = append(k.entries, r.claimedPaths(of, *claim, k.files)...)
	k.stakes = claim.stakes()
}

func (m *remembered) learn(k *known) {
	for _, e := range k.entries {
		m.index.add(e)
		if e.id.isPath() {
			m.paths.add(e, m.index.count(e.id) == 1, m.index)
		}
		m.cluster.learn(e, m.index.count(e.id) == 1)
	}
	m.total.add(k.total, 1)
}

func (m *remembered) forget(k *known) {
	for _, e := range k.entries {
		m.index.remove(e)
		if e.id.isPath() {
			m.paths.remove(e, m.index.count(e.id) == 0, m.index)
		}
		m.cluster.forget(e, m.index.count(e.id) == 0)
	}
	m.total.add(k.total, -1)
}

// settled reports whether everything wanted fits together.
func (m *remembered) settled() bool {
	return len(m.index.repeated) == 0 && m.paths.contested == 0 && m.broken == 0 && m.kustomizations == 0 && m.stakes == 0
}

// clusterIndex counts, for each object as the API server knows it, the
// different objects that kustomize knows it as in all roots of a Memory.
type clusterIndex struct {
	objects  map[apiObject]int
	repeated int
	// scopes counts the definitions of each kind that lives outside namespaces.
	scopes map[kindOf]int
	// stale means that the objects are to be counted anew.
	stale bool
}

// learn takes an entry in; first means that it is the only one of its identity
// in its root.
func (c *clusterIndex) learn(e *entry, first bool) { c.count(e, first, 1) }

// forget takes an entry out; last means that its root has no other of its
// identity.
func (c *clusterIndex) forget(e *entry, last bool) { c.count(e, last, -1) }

func (c *clusterIndex) count(e *entry, alone bool, by int) {
	if e.defines != nil && e.defines.ClusterScoped {
		if c.scopes == nil {
			c.scopes = map[kindOf]int{}
		}
		kind := kindOf{e.defines.Group, e.defines.Kind}
		before := c.scopes[kind]
		c.scopes[kind] = before + by
		c.stale = c.stale || before == 0 || before+by == 0
	}
	if alone && !e.id.isPath() {
		c.countObject(e.id.object, by)
	}
}

func (c *clusterIndex) countObject(id kustomize.ID, by int) {
	if c.stale {
		return
	}
	if c.objects == nil {
		c.objects = map[apiObject]int{}
	}
	key := apiKey(id, c.isClusterScoped)
	before := c.objects[key]
	after := before + by
	switch {
	case after == 0:
		delete(c.objects, key)
	default:
		c.objects[key] = after
	}
	if before < 2 && after >= 2 {
		c.repeated++
	}
	if before >= 2 && after < 2 {
		c.repeated--
	}
}

func (c *clusterIndex) isClusterScoped(kind kindOf) bool { return c.scopes[kind] > 0 }

// settled reports whether no object of the cluster is there twice, if these verdicts
// are all that the Memory has, and none of them had anything to decide.
func (m *Memory) settled(verdicts []Verdict) bool {
	if m == nil {
		return false
	}
	m.fits = false
	for _, verdict := range verdicts {
		if verdict.decided.root.Memory != m || !verdict.decided.quick {
			return false
		}
	}
	maps.DeleteFunc(m.roots, func(path tree.Path, _ *remembered) bool {
		gone := !slices.ContainsFunc(verdicts, func(v Verdict) bool { return v.decided.root.Path == path })
		m.cluster.stale = m.cluster.stale || gone
		return gone
	})
	if m.cluster.stale {
		m.recount()
	}
	m.fits = m.cluster.repeated == 0
	return m.fits
}

func (m *Memory) recount() {
	m.cluster = clusterIndex{}
	for _, root := range m.roots {
		for _, k := range root.claims {
			for _, e := range k.entries {
				m.cluster.count(e, false, 1)
			}
		}
		for _, e := range root.foreign.entries {
			m.cluster.count(e, false, 1)
		}
	}
	m.cluster.stale = false
	for _, root := range m.roots {
		for id := range root.index.all() {
			if !id.isPath() {
				m.cluster.countObject(id.object, 1)
			}
		}
	}
}
