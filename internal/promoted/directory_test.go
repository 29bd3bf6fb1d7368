package promoted_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// objectsOf returns the names of the ConfigMaps in a store.
func (c *cluster) objectsOf(store string) map[string]bool {
	c.t.Helper()
	objects := map[string]bool{}
	for path, content := range c.files(store) {
		if strings.Contains(path.String(), ".kratix/") {
			continue
		}
		for line := range strings.Lines(content) {
			if name, is := strings.CutPrefix(line, "  name: o"); is {
				objects["o"+strings.TrimSpace(name)] = true
			}
		}
	}
	return objects
}

// has checks that a live store has exactly these ConfigMaps.
func (c *cluster) has(store string, want ...string) {
	c.t.Helper()
	wanted := map[string]bool{}
	for _, object := range want {
		wanted[object] = true
	}
	if got := c.objectsOf(store); !maps.Equal(got, wanted) {
		c.t.Errorf("%s has %v, want %v", store, got, want)
	}
}

// rename replaces the Destination d0 by d9, which has the same path.
func (c *cluster) rename() {
	delete(c.destinations, "d0")
	c.destination("d9", "live-1", "none")
	c.destinations["d9"].Spec.Path = "d0"
}

// TestRenamedDestinationKeepsLiveFiles checks that the files of a WorkPlacement of the former
// Destination stay until Kratix has removed the WorkPlacement or placed its Work on the new
// Destination.
func TestRenamedDestinationKeepsLiveFiles(t *testing.T) {
	for _, mode := range layout.Modes() {
		t.Run(mode, func(t *testing.T) {
			c := newCluster(t, mode)
			c.destination("d0", "live-1", "none")
			c.place("w1", "d0", "o1")
			c.place("w2", "d0", "o2")
			c.place("dependency1", "d0", "o3")
			c.round()
			c.rename()
			for range 3 {
				c.round()
				c.has("live-1", "o1", "o2", "o3")
			}
			c.restart()
			c.place("w1", "d9", "o4") // the new Destination takes over the placement with its new content
			c.place("dependency1", "d9", "o3")
			c.remove(func(p *kratix.WorkPlacement) bool { return p.Work().Name == "w2" })
			c.round()
			c.has("live-1", "o4", "o3")
			c.remove(func(p *kratix.WorkPlacement) bool { return p.Spec.TargetDestinationName == "d0" })
			c.round()
			c.has("live-1", "o4", "o3")
			c.remove(func(*kratix.WorkPlacement) bool { return true })
			c.place("w3", "d9", "o5")
			c.round()
			c.has("live-1", "o5")
		})
	}
}

// TestDestinationThatLosesItsLiveStoreKeepsItsLiveFilesOnceDeleted checks that the files stay,
// although another Destination has the same directory.
func TestDestinationThatLosesItsLiveStoreKeepsItsLiveFilesOnceDeleted(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata)
	c.destination("d0", "live-1", "none")
	c.place("w1", "d0", "o1")
	c.round()
	c.destination("d0", "", "none")
	c.destination("d9", "live-1", "none")
	c.destinations["d9"].Spec.Path = "d0"
	c.round()
	delete(c.destinations, "d0")
	for range 3 {
		c.round()
		c.has("live-1", "o1")
	}
}

// TestRequestOnTwoDestinationsKeepsBothWhenOneIsRenamed checks a request that Kratix has placed
// twice: neither placement counts as the old copy of a move.
func TestRequestOnTwoDestinationsKeepsBothWhenOneIsRenamed(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata)
	c.destination("d0", "live-1", "none")
	c.destination("d1", "live-1", "none")
	c.place("w1", "d0", "o1")
	c.place("w1", "d1", "o2")
	c.round()
	c.rename()
	for range 3 {
		c.round()
		c.has("live-1", "o1", "o2")
	}
}

// TestFilesOfAnUnreadableDestinationStay checks that the files of a Destination that cannot be
// decoded stay, although another Destination has the same directory.
func TestFilesOfAnUnreadableDestinationStay(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata)
	c.destination("d0", "live-1", "none")
	c.place("w1", "d0", "o1")
	c.round()
	c.unreadable = append(c.unreadable, c.destinations["d0"])
	c.rename()
	c.place("w1", "d9", "o2")
	for range 3 {
		c.round()
		c.has("live-1", "o1")
	}
}

// TestFilesOfKratixForAnotherDestinationStay checks files without a record. They stay if their
// WorkPlacement is on another Destination than the one that has the directory now.
func TestFilesOfKratixForAnotherDestinationStay(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.None} {
		c := newCluster(t, mode)
		c.destination("d0", "live-1", "none")
		c.place("w1", "d0", "o1")
		for _, p := range c.placements {
			rendering, _ := layout.Render(c.destinations["d0"], p)
			files := []tree.File{rendering.Files[0].File}
			if list, err := layout.FlatRecordPath(c.destinations["d0"], p); mode == kratix.None && err == nil {
				files = append(files, tree.File{Path: list, Content: []byte("files:\n- " + rendering.Files[0].Path.String() + "\n")})
			}
			if _, err := c.stores["live-1"].Apply(t.Context(), statestore.ChangeSet{Write: files}); err != nil {
				t.Fatal(err)
			}
		}
		c.rename()
		for range 3 {
			c.round()
			c.has("live-1", "o1")
		}
	}
}

// TestWorkOnAnotherDestinationIsNoEvidence checks that a WorkPlacement on another Destination is no
// evidence that a missing one was deleted. If many are missing, all their files stay.
func TestWorkOnAnotherDestinationIsNoEvidence(t *testing.T) {
	c := newCluster(t, kratix.NestedByMetadata)
	c.destination("d0", "live-1", "none")
	c.destination("d1", "live-2", "none")
	var want []string
	for _, n := range strings.Split("abcdefghijkl", "") {
		c.place("w"+n, "d0", "o"+n)
		c.place("w"+n, "d1", "o"+n)
		want = append(want, "o"+n)
	}
	c.round()
	c.remove(func(p *kratix.WorkPlacement) bool { return p.Spec.TargetDestinationName == "d0" })
	clear(c.deleted)
	if _, err := c.reconciler.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.has("live-1", want...)
}

// TestCopiedAggregatedFileStaysWhileAPartIsHeldBack checks an aggregated file that Kratix has
// written and that has no record. It stays while it has the only copy of a part.
func TestCopiedAggregatedFileStaysWhileAPartIsHeldBack(t *testing.T) {
	c := newCluster(t, kratix.AggregatedYAML)
	c.destination("d0", "live-1", "none")
	c.place("w1", "d0", "o1")
	c.place("w2", "d0", "o2")
	var parts []layout.Part
	for _, p := range c.placements {
		rendering, _ := layout.Render(c.destinations["d0"], p)
		parts = append(parts, layout.Part{Placement: p, Files: rendering.Files})
	}
	if _, err := c.stores["live-1"].Apply(t.Context(), statestore.ChangeSet{Write: layout.Join(parts)}); err != nil {
		t.Fatal(err)
	}
	c.place("w2", "d0", "o1", "o2")
	for range 3 {
		c.round()
		c.has("live-1", "o1", "o2")
	}
	c.place("w2", "d0", "o3")
	c.round()
	c.has("live-1", "o1", "o3")
}
