package dedupe

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// CheckCache keeps the index of the wanted objects in the roots of one cluster between checks. The
// zero CheckCache is empty. It keeps the checked files, which must not be changed in place. It is
// not safe for concurrent use.
type CheckCache struct {
	roots   map[tree.Path]*rootIndex
	cluster clusterIndex
	fits    bool
}

func (m *CheckCache) root(root *Root) *rootIndex {
	if m == nil {
		m = &CheckCache{}
	}
	found := m.roots[root.Path]
	if found == nil || !found.ignored.Equal(root.Ignored) {
		if found != nil {
			m.cluster.stale = true
		}
		found = &rootIndex{ignored: root.Ignored, index: newIndex(), foreign: &parsedClaim{}, cluster: &m.cluster}
		if m.roots == nil {
			m.roots = map[tree.Path]*rootIndex{}
		}
		m.roots[root.Path] = found
	}
	return found
}

// clusterFits reports whether each object of the cluster is known to be in one place.
func (m *CheckCache) clusterFits(verdicts []Verdict) bool {
	if m == nil {
		return false
	}
	m.fits = false
	for _, verdict := range verdicts {
		if verdict.decided.root.CheckCache != m || !verdict.decided.trivial {
			return false
		}
	}
	maps.DeleteFunc(m.roots, func(path tree.Path, _ *rootIndex) bool {
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

func (m *CheckCache) recount() {
	m.cluster = clusterIndex{}
	for _, root := range m.roots {
		for _, entries := range root.index.all() {
			for _, e := range entries {
				m.cluster.countScope(e, 1)
			}
		}
	}
	m.cluster.stale = false
	for _, root := range m.roots {
		for id := range root.index.all() {
			m.cluster.countObject(id, 1)
		}
	}
}
