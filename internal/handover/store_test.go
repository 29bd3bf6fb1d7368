package handover_test

import (
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/projected"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func (c *cluster) impliedPlacements() (heirs []projected.ImpliedPlacement) {
	for _, h := range c.takeover.Implied {
		heirs = append(heirs, projected.ImpliedPlacement{WorkPlacement: h.Stands, Of: h.Of})
	}
	return heirs
}

func (c *cluster) write(w *kratix.Work, destination *kratix.Destination) {
	c.t.Helper()
	p := testkit.Placement(w, destination.Name)
	rendering, _ := layout.Render(destination, p)
	var files []tree.File
	var list strings.Builder
	for _, file := range rendering.Files {
		files = append(files, file.File)
		fmt.Fprintf(&list, "- %s\n", file.Path)
	}
	switch destination.FilepathMode() {
	case kratix.None:
		path, err := layout.FlatRecordPath(destination, p)
		if err != nil {
			c.t.Fatal(err)
		}
		files = append(files, tree.File{Path: path, Content: []byte("files:\n" + list.String())})
	case kratix.AggregatedYAML:
		files = layout.Join([]layout.Part{{Placement: p, Files: rendering.Files}})
	}
	state, err := c.store.Read(c.t.Context())
	if err == nil {
		_, err = c.store.Apply(c.t.Context(), statestore.ChangeSet{Base: state.Revision, Write: files})
	}
	if err != nil {
		c.t.Fatal(err)
	}
}

func TestFilesInStoreBelongToTheirWork(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.None, kratix.AggregatedYAML} {
		for name, prepare := range map[string]func(*cluster, *kratix.Work){
			"no WorkPlacement": func(*cluster, *kratix.Work) {},
			"a WorkPlacement whose status shows no write": func(c *cluster, w *kratix.Work) { c.place(w, "worker-1") },
			"a WorkPlacement being deleted, whose last change was never written": func(c *cluster, _ *kratix.Work) {
				c.place(c.work("new", "environment", "dev", "x", "more"), "worker-1", isWritten).DeletionTimestamp = &noon
			},
			"the first write failed": func(c *cluster, w *kratix.Work) {
				c.place(w, "worker-1").Status.Conditions = []metav1.Condition{{Type: isWritten, Status: metav1.ConditionFalse}}
			},
		} {
			t.Run(name+", "+mode, func(t *testing.T) {
				c := newCluster(t)
				c.setFilepathMode(mode)
				for _, d := range c.snapshot.Destinations {
					d.Spec.Path = d.Name
				}
				w := c.work("new", "environment", "dev", "x", "gone")
				c.write(w, c.snapshot.Destinations[0])
				prepare(c, w)
				c.work("new", "environment", "dev", "x", "gone", "more")
				c.expect()
				c.work("new", "environment", "dev", "x", "more")
				c.expect()
				if len(c.snapshot.WorkPlacements) > 0 {
					return // the Work is not placed on another Destination
				}
				c.place(c.work("owner", "on", "2", "x"), "worker-2", isWritten)
				c.expect("default/new on worker-2 (+0) ")
			})
		}
	}
}

func TestFilesOfDependencyInStoreBelongToIt(t *testing.T) {
	for _, mode := range []string{kratix.NestedByMetadata, kratix.None, kratix.AggregatedYAML} {
		for name, prepare := range map[string]func(*cluster, *kratix.Work){
			"without a WorkPlacement": func(*cluster, *kratix.Work) {},
			"with a WorkPlacement":    func(c *cluster, w *kratix.Work) { c.place(w, "worker-1", isWritten) },
		} {
			t.Run(name+", "+mode, func(t *testing.T) {
				c := newCluster(t)
				c.setFilepathMode(mode)
				dependency := func(configMaps ...string) *kratix.Work {
					w := c.work("dependency", "on", "1", configMaps...)
					w.Spec.ResourceName = ""
					return w
				}
				w := dependency("x", "gone")
				c.write(w, c.snapshot.Destinations[0])
				prepare(c, w)
				dependency("x", "more")
				c.expect()
			})
		}
	}
}
