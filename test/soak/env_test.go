package soak

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

type env struct {
	t           *testing.T
	rng         *rand.Rand
	dir         string
	works       map[string]int
	conflicting map[string]bool
	broken      int
	others      map[string]int
	fleet       *fleet
}

const destinations = 5

func newEnv(t *testing.T, rng *rand.Rand, url, secret string) *env {
	t.Helper()
	w := &env{t: t, rng: rng, dir: filepath.Join(t.TempDir(), "source"), works: map[string]int{}, conflicting: map[string]bool{}, others: map[string]int{}, fleet: newFleet()}
	if err := os.Mkdir(w.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	w.write("secret.yaml", secret)
	w.write("store.yaml", `apiVersion: platform.kratix.io/v1alpha1
kind: GitStateStore
metadata: {name: default}
spec:
  url: `+url+`
  branch: main
  secretRef: {name: git, namespace: default}
`)
	for i := range destinations {
		w.destination(i, true)
	}
	for range 20 {
		w.putWork()
	}
	w.writeOthers()
	return w
}

func (w *env) write(name, content string) {
	w.t.Helper()
	temporary := filepath.Join(w.dir, "."+name+".tmp")
	if err := os.WriteFile(temporary, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(temporary, filepath.Join(w.dir, name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *env) remove(name string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *env) destination(i int, labelled bool) {
	label := "{}"
	if labelled {
		label = fmt.Sprintf("{name: d%d}", i)
	}
	w.write(fmt.Sprintf("destination-%d.yaml", i), fmt.Sprintf(`apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: d%d, labels: %s}
spec:
  path: clusters/d%d
  stateStoreRef: {kind: GitStateStore, name: default}
`, i, label, i))
}

func (w *env) deleteDestination(i int) {
	if err := os.Remove(filepath.Join(w.dir, fmt.Sprintf("destination-%d.yaml", i))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		w.t.Fatal(err)
	}
}

func destinationOf(name string) int { return int(name[len(name)-1]) % destinations }

func manifest(object string, version int) string {
	return fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: default}\ndata: {version: \"%d\"}\n", object, version)
}

func (w *env) work(name, object string, version int) {
	w.workOf("redis", name, fmt.Sprintf("{name: d%d}", destinationOf(name)), version, map[string]string{"object.yaml": manifest(object, version)})
}

func (w *env) workOf(promise, name, labels string, version int, files map[string]string) {
	var workloads strings.Builder
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&workloads, "    - filepath: %s\n      content: %s\n", path, base64.StdEncoding.EncodeToString(packed(w.t, files[path])))
	}
	w.write(name+".yaml", fmt.Sprintf(`apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata: {name: %s, namespace: default, generation: %d}
spec:
  promiseName: %s
  resourceName: %s
  workloadGroups:
  - id: 5058f1af8388633f609cadb75a75dc9d
    directory: .
    destinationSelectors:
    - source: promise
      matchLabels: %s
    workloads:
%s`, name, version, promise, name, labels, workloads.String()))
}

func (w *env) randomWork() (string, bool) {
	names := slices.Sorted(maps.Keys(w.works))
	if len(names) == 0 {
		return "", false
	}
	return names[w.rng.IntN(len(names))], true
}

func (w *env) putWork() {
	name := fmt.Sprintf("work-%03d", w.rng.IntN(200))
	w.works[name]++
	w.work(name, name, w.works[name])
}

func (w *env) removeWork() {
	if name, ok := w.randomWork(); ok {
		delete(w.works, name)
		w.remove(name + ".yaml")
	}
}

func conflictingName(name string) string { return "conflict-" + strings.TrimPrefix(name, "work-") }

func (w *env) toggleConflict() {
	name, ok := w.randomWork()
	conflicting := conflictingName(name)
	switch {
	case !ok:
	case w.conflicting[conflicting]:
		delete(w.conflicting, conflicting)
		w.remove(conflicting + ".yaml")
	default:
		w.conflicting[conflicting] = true
		w.work(conflicting, name, 1)
	}
}

func (w *env) breakFiles(n int) {
	for i := w.broken; i < n; i++ {
		w.write(fmt.Sprintf("broken-%04d.yaml", i), "kind: [\n")
	}
	w.broken = max(w.broken, n)
}

func (w *env) removeBrokenFiles() {
	for i := range w.broken {
		w.remove(fmt.Sprintf("broken-%04d.yaml", i))
	}
	w.broken = 0
}

func (w *env) repair() {
	w.removeBrokenFiles()
	for name := range w.conflicting {
		w.remove(name + ".yaml")
	}
	clear(w.conflicting)
	w.labelAll()
	w.fleet.reset(w)
}

func (w *env) labelAll() {
	for i := range destinations {
		w.destination(i, true)
	}
}
