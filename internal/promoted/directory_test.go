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

func (c *cluster) expectConfigMaps(store string, want ...string) {
	c.t.Helper()
	wanted := map[string]bool{}
	for _, object := range want {
		wanted[object] = true
	}
	if got := c.objectsOf(store); !maps.Equal(got, wanted) {
		c.t.Errorf("%s has %v, want %v", store, got, want)
	}
}

func (c *cluster) rename() {
	delete(c.destinations, "d0")
	c.destination("d9", "live-1", "none")
	c.destinations["d9"].Spec.Path = "d0"
}

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
				c.expectConfigMaps("live-1", "o1", "o2", "o3")
			}
			c.restart()
			c.place("w1", "d9", "o4") // the new Destination takes over the placement with its new content
			c.place("dependency1", "d9", "o3")
			c.remove(func(p *kratix.WorkPlacement) bool { return p.Work().Name == "w2" })
			c.round()
			c.expectConfigMaps("live-1", "o4", "o3")
			c.remove(func(p *kratix.WorkPlacement) bool { return p.Spec.TargetDestinationName == "d0" })
			c.round()
			c.expectConfigMaps("live-1", "o4", "o3")
			c.remove(func(*kratix.WorkPlacement) bool { return true })
			c.place("w3", "d9", "o5")
			c.round()
			c.expectConfigMaps("live-1", "o5")
		})
	}
}

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
		c.expectConfigMaps("live-1", "o1")
	}
}

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
		c.expectConfigMaps("live-1", "o1", "o2")
	}
}

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
		c.expectConfigMaps("live-1", "o1")
	}
}

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
			c.expectConfigMaps("live-1", "o1")
		}
	}
}

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
	c.expectConfigMaps("live-1", want...)
}

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
		c.expectConfigMaps("live-1", "o1", "o2")
	}
	c.place("w2", "d0", "o3")
	c.round()
	c.expectConfigMaps("live-1", "o1", "o3")
}
