package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// removalRollout is a Rollout of three waves. window is a further field of the second wave.
func removalRollout(window string) string {
	return "apiVersion: kratix-schedule.io/v1alpha1\nkind: Rollout\nmetadata: {name: operators}\nspec:\n  waves:\n" +
		"  - {name: canary, destinations: {matchLabels: {wave: canary}}}\n" +
		"  - {name: second, destinations: {matchLabels: {wave: second}}" + window + "}\n" +
		"  - {name: last, destinations: {matchLabels: {wave: last}}}\n"
}

// promiseFiles returns the Works of a Promise, its dependencies and a request on the canary.
func promiseFiles() (dependencies, request string) {
	work := func(name, spec string) string {
		manifest := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n", name)
		return fmt.Sprintf("apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata: {name: %s}\nspec:\n  promiseName: p\n%s  workloadGroups:\n  - id: 5058f1af8388633f609cadb75a75dc9d\n    directory: .\n"+
			"    workloads:\n    - {filepath: m.yaml, content: %s}\n", name, spec, kratix.Encode([]byte(manifest)))
	}
	selector := "    destinationSelectors: [{matchLabels: {wave: canary}}]\n"
	request = strings.Replace(work("request", "  resourceName: request\n"), "    workloads:", selector+"    workloads:", 1)
	return work("operator", ""), request
}

// removedIn returns the Destinations from which the log has removed files, the first one first.
// Those of requests are named by the directory too.
func (w *daemonEnv) removedIn() []string {
	w.t.Helper()
	var order []string
	for line := range strings.SplitSeq(w.git("--git-dir", w.repository, "log", "--reverse", "--diff-filter=D", "--format=", "--name-only", "main", "--", ":(glob)**/m.yaml"), "\n") {
		if parts := strings.Split(line, "/"); len(parts) > 1 {
			order = append(order, parts[0]+"/"+parts[1])
		}
	}
	return order
}

func (w *daemonEnv) waitForRemovals(want ...string) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		got := w.removedIn()
		if slices.Equal(got, want) {
			return
		}
		if time.Now().After(deadline) || len(got) > len(want) {
			w.t.Fatalf("removed from %v, want %v\n%s", got, want, w.log.String())
		}
	}
}

func (w *daemonEnv) remove(name string) {
	w.t.Helper()
	if err := os.Remove(filepath.Join(w.dir, name)); err != nil {
		w.t.Fatal(err)
	}
}

// The Destination worker-1 is in none of the three waves. The daemon is restarted while a window
// keeps the second wave.
func TestDaemonRemovesAPromiseInReverseOrderOfWaves(t *testing.T) {
	w := watchedWorks(t, 0, "")
	var destinations strings.Builder
	for _, wave := range []string{"canary", "second", "last"} {
		fmt.Fprintf(&destinations, "---\napiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: %s, labels: {wave: %[1]s}}\nspec:\n  stateStoreRef: {kind: GitStateStore, name: default}\n", wave)
	}
	w.write("destinations.yaml", destinations.String())
	dependencies, request := promiseFiles()
	w.write("operator.yaml", dependencies)
	w.write("request.yaml", request)
	w.write("rollout.yaml", removalRollout(""))
	const delay = time.Second
	stop := w.run(delay, "--allow-deletions")
	waitForOutput(t, &w.log, `"group":".","destination":"worker-1","reason":"dependencies go`)
	w.write("rollout.yaml", removalRollout(`, windows: [{start: "0 0 30 2 *", duration: 1h}]`)) // February has no such day
	w.remove("operator.yaml")
	waitForOutput(t, &w.log, "requests of its Promise are still placed")
	time.Sleep(delay + time.Second)
	w.waitForRemovals()
	w.remove("request.yaml")
	w.waitForRemovals("canary/resources", "worker-1/dependencies", "last/dependencies")
	stop()
	stop = w.run(delay, "--allow-deletions")
	time.Sleep(delay + time.Second)
	w.waitForRemovals("canary/resources", "worker-1/dependencies", "last/dependencies")
	w.write("rollout.yaml", removalRollout(""))
	w.waitForRemovals("canary/resources", "worker-1/dependencies", "last/dependencies", "second/dependencies", "canary/dependencies")
	stop()
}
