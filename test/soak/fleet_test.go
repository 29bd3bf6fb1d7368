package soak

import (
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

const (
	flatWorks, mergedWorks, fleetWorks = 8, 5, 12
	maxFleetMembers                    = 6
)

type fleetMember struct {
	id                                int
	name, path                        string
	present, labelled, cordonedByHand bool
}

type fleet struct {
	all          []*fleetMember
	names, paths []string
}

func newFleet() *fleet {
	f := &fleet{}
	for range 3 {
		f.add()
	}
	return f
}

func (f *fleet) add() *fleetMember {
	one := &fleetMember{id: len(f.all), name: f.newName(), path: f.newPath(), present: true, labelled: true}
	f.all = append(f.all, one)
	return one
}

func (f *fleet) newName() string {
	f.names = append(f.names, fmt.Sprintf("r%d", len(f.names)))
	return f.names[len(f.names)-1]
}

func (f *fleet) newPath() string {
	f.paths = append(f.paths, fmt.Sprintf("clusters/roam-%d", len(f.paths)))
	return f.paths[len(f.paths)-1]
}

func (f *fleet) present() []*fleetMember {
	return slices.DeleteFunc(slices.Clone(f.all), func(one *fleetMember) bool { return !one.present })
}

func (f *fleet) reset(w *env) {
	for _, one := range f.present() {
		one.labelled, one.cordonedByHand = true, false
		w.writeFleetMember(one)
	}
}

func (w *env) writeFleetMember(r *fleetMember) {
	file := fmt.Sprintf("fleet-member-%d.yaml", r.id)
	if !r.present {
		w.remove(file)
		return
	}
	fleetLabel := ""
	if r.labelled {
		fleetLabel = ", fleet: roam"
	}
	w.write(file, fmt.Sprintf(`apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata:
  name: %s
  labels: {name: %s%s}
  annotations: {kratix-schedule.io/cordon: "%t"}
spec:
  path: %s
  stateStoreRef: {kind: GitStateStore, name: default}
`, r.name, r.name, fleetLabel, r.cordonedByHand, r.path))
}

func (w *env) writeOthers() {
	for name, mode := range map[string]string{"flat": kratix.None, "merged": kratix.AggregatedYAML} {
		w.write("destination-"+name+".yaml", fmt.Sprintf(`apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: %s, labels: {name: %s}}
spec:
  path: clusters/%s
  filepath: {mode: %s}
  stateStoreRef: {kind: GitStateStore, name: default}
`, name, name, name, mode))
	}
	for _, r := range w.fleet.all {
		w.writeFleetMember(r)
	}
	for kind, n := range map[string]int{"flat": flatWorks, "merged": mergedWorks, "roam": fleetWorks} {
		for i := range n {
			w.putOther(fmt.Sprintf("%s-%02d", kind, i))
		}
	}
}

func otherFile(name string) string { return name + ".yaml" }

func kindOf(name string) string {
	kind, _, _ := strings.Cut(name, "-")
	return kind
}

func (w *env) putOther(name string) {
	w.others[name]++
	labels := fmt.Sprintf("{name: %s}", kindOf(name))
	if kindOf(name) == "roam" {
		labels = "{fleet: roam}"
	}
	w.writeOther(name, labels)
}

func (w *env) writeOther(name, labels string) {
	w.workOf(kindOf(name), name, labels, w.others[name], map[string]string{otherFile(name): manifest(name, w.others[name])})
}

func (w *env) changeOther(kinds ...string) {
	kind := kinds[w.rng.IntN(len(kinds))]
	name := fmt.Sprintf("%s-%02d", kind, w.rng.IntN(map[string]int{"flat": flatWorks, "merged": mergedWorks, "roam": fleetWorks}[kind]))
	if w.others[name] > 0 && w.rng.IntN(4) == 0 {
		delete(w.others, name)
		w.remove(name + ".yaml")
		return
	}
	w.putOther(name)
}

func (w *env) changeFleetMember(change func(*fleetMember)) {
	there := w.fleet.present()
	if len(there) == 0 {
		return
	}
	one := there[w.rng.IntN(len(there))]
	change(one)
	w.writeFleetMember(one)
}

func (w *env) deleteOrReturn() {
	away := slices.DeleteFunc(slices.Clone(w.fleet.all), func(r *fleetMember) bool { return r.present })
	if len(away) > 0 && (w.rng.IntN(2) == 0 || len(w.fleet.present()) == 1) {
		one := away[w.rng.IntN(len(away))]
		one.present = true
		w.writeFleetMember(one)
		return
	}
	w.changeFleetMember(func(r *fleetMember) { r.present = false })
}

func (w *env) movePath() {
	free := slices.DeleteFunc(slices.Clone(w.fleet.paths), func(path string) bool {
		return slices.ContainsFunc(w.fleet.all, func(r *fleetMember) bool { return r.path == path })
	})
	w.changeFleetMember(func(r *fleetMember) {
		if len(free) > 0 && w.rng.IntN(3) == 0 {
			r.path = free[w.rng.IntN(len(free))]
			return
		}
		r.path = w.fleet.newPath()
	})
}

func (w *env) swapPaths() {
	there := w.fleet.present()
	if len(there) < 2 {
		return
	}
	w.rng.Shuffle(len(there), func(i, j int) { there[i], there[j] = there[j], there[i] })
	there[0].path, there[1].path = there[1].path, there[0].path
	w.writeFleetMember(there[0])
	w.writeFleetMember(there[1])
}

func (w *env) newDestination() {
	if len(w.fleet.all) < maxFleetMembers {
		w.writeFleetMember(w.fleet.add())
	}
}

func (w *trial) cleanUp(name string) bool {
	w.t.Helper()
	cleanup := exec.Command(w.daemon.binary, "cleanup", name, "-f", w.dir, "--owner-id", "soak", "--apply") //nolint:gosec // the project's own program
	out, err := cleanup.CombinedOutput()
	var status *exec.ExitError
	if err != nil && (!errors.As(err, &status) || status.ExitCode() != 3) {
		w.t.Errorf("cleanup %s: %v\n%s", name, err, out)
	}
	return err == nil
}

func (w *trial) cleanUpAll() {
	w.t.Helper()
	for _, name := range w.fleet.names {
		w.waitFor("what "+name+" has left is removed", func() bool { return w.cleanUp(name) })
	}
}

func (w *trial) fleetPlacements() map[string]string {
	w.t.Helper()
	there := map[string]string{}
	for _, r := range w.fleet.present() {
		there[r.path] = r.name
	}
	on := map[string][]string{}
	for path := range listing(w.t, w.repository) {
		base, isRecord := layout.RecordBase(testkit.Path(path))
		if !isRecord || !strings.HasPrefix(path, "clusters/roam-") {
			continue
		}
		record, err := layout.ParseRecord([]byte(gittest.Git(w.t, w.repository, "show", "main:"+path)))
		if err != nil || record.Placement == nil {
			w.t.Errorf("%s is no record: %v", path, err)
			continue
		}
		name, target := record.Placement.Work().Name, record.Placement.Spec.TargetDestinationName
		if there[base.String()] != target {
			target += " at " + base.String()
		}
		on[name] = append(on[name], target)
	}
	where := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(w.others)) {
		if kindOf(name) != "roam" {
			continue
		}
		if len(on[name]) != 1 || !slices.Contains(slices.Collect(maps.Values(there)), on[name][0]) {
			w.t.Errorf("%s is on %q, and the Destinations are %v", name, on[name], there)
			continue
		}
		where[name] = on[name][0]
	}
	return where
}

func (w *trial) pin() {
	w.t.Helper()
	for name, on := range w.fleetPlacements() {
		w.writeOther(name, fmt.Sprintf("{name: %s}", on))
	}
}

// abandoned reports whether a path is a canary file in a former directory of a Destination. Canary
// files have no record.
func (w *trial) abandoned(path string) bool {
	dir := strings.Join(strings.SplitN(path, "/", 3)[:2], "/")
	current := slices.ContainsFunc(w.fleet.present(), func(r *fleetMember) bool { return r.path == dir })
	canary := strings.HasSuffix(path, "/kratix-canary-namespace.yaml") || strings.HasSuffix(path, "/kratix-canary-configmap.yaml")
	return canary && !current && slices.Contains(w.fleet.paths, dir)
}
