package soak

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func (w *trial) otherController(flags ...string) *daemon {
	w.t.Helper()
	dir := w.t.TempDir()
	input := &env{t: w.t, rng: w.rng, dir: dir}
	for _, name := range []string{"store.yaml", "secret.yaml"} {
		content, err := os.ReadFile(filepath.Join(w.dir, name))
		if err != nil {
			w.t.Fatal(err)
		}
		input.write(name, string(content))
	}
	stored := slices.Collect(maps.Keys(listing(w.t, w.repository)))
	for i := range destinations {
		prefix := fmt.Sprintf("clusters/d%d/.kratix/", i)
		if slices.ContainsFunc(stored, func(path string) bool {
			return strings.HasPrefix(path, prefix) && !strings.HasSuffix(path, "/removals")
		}) {
			input.destination(i, true)
			name := fmt.Sprintf("stranger-%d", i)
			input.workOf("stranger", name, fmt.Sprintf("{name: d%d}", i), 1, map[string]string{"object.yaml": manifest(name, 1)})
		}
	}
	args := append([]string{"-f", dir, "--interval", "2s", "--allow-removals", "all", "--removal-delay", "1s"}, flags...)
	other := &daemon{t: w.t, binary: w.daemon.binary, args: args, log: w.daemon.log}
	other.start()
	return other
}

func (w *trial) otherID() {
	w.t.Helper()
	w.harmless("a controller with another ID", func() {
		before := w.head()
		other := w.otherController("--owner-id", "stranger")
		w.waitFor("it says whose the Destinations are", func() bool { return strings.Contains(other.page("/api/v1/report"), `"KS065"`) })
		for range 3 {
			w.putWork()
			w.sleepUpTo(time.Second)
		}
		other.stop()
		if log := gittest.Git(w.t, w.repository, "log", "--format=%B", before+"..main"); strings.Contains(log, "Kratix-Schedule-Owner: stranger") {
			w.t.Errorf("it has written:\n%s", log)
		}
	})
}

func (w *trial) fight() {
	w.t.Helper()
	w.repairInput()
	other := w.otherController("--owner-id", "soak")
	w.waitFor("one of two controllers stops", func() bool {
		return strings.Contains(w.daemon.page("/api/v1/report"), `"KS067"`) || strings.Contains(other.page("/api/v1/report"), `"KS067"`)
	})
	other.stop()
	w.daemon.signal(syscall.SIGHUP)
	w.awaitWritten("")
	w.awaitNoOtherControllers()
}

func (w *trial) takeover() {
	w.t.Helper()
	w.repairInput()
	other := w.otherController("--owner-id", "stranger", "--adopt")
	w.waitForPage("/api/v1/report", `"KS065"`)
	other.stop()
	w.waitFor("what is adopted is adopted back", func() bool {
		adopt := exec.Command(w.daemon.binary, "run", "--once", "-f", w.dir, "--owner-id", "soak", "--adopt", "--allow-removals", "all", "--on-misplaced", "move") //nolint:gosec // the project's own program
		_ = adopt.Run()                                                                                                                                            // the daemon may have adopted the Destinations before
		return !strings.Contains(gittest.Git(w.t, w.repository, "grep", "-h", "kratix-schedule.io/owner: ", "main"), "owner: stranger")
	})
	w.daemon.signal(syscall.SIGHUP) // the daemon may have stopped because of the other controller
	w.awaitWritten("")
	w.awaitNoOtherControllers()
}

func (w *trial) awaitNoOtherControllers() {
	w.t.Helper()
	w.waitFor("what the stranger has placed is removed", func() bool {
		return !strings.Contains(gittest.Git(w.t, w.repository, "ls-tree", "-r", "--name-only", "main"), "/stranger")
	})
}

func (w *trial) forge() {
	w.t.Helper()
	forgeries := map[string]func() (path, content string){
		"of a Work that is not there": func() (string, string) {
			victim := w.placeable()
			return recordPath(w.t, "forged-"+victim), w.inName(w.show(recordPath(w.t, victim)), victim, "forged-"+victim)
		},
		"by another name": func() (string, string) {
			victim := w.placeable()
			return fmt.Sprintf("clusters/d%d/.kratix/forged.yaml", destinationOf(victim)), w.show(recordPath(w.t, victim))
		},
		"in mode none": func() (string, string) {
			victim := w.someOther("flat")
			return "clusters/flat/.kratix/default-forged.flat-5058f.yaml", w.forgedFor("flat", victim)
		},
		"as Kratix writes it": func() (string, string) {
			return "clusters/flat/.kratix/default-forged.flat-5058f.yaml", "files:\n- /clusters/flat/" + otherFile(w.someOther("flat")) + "\n"
		},
		"in mode aggregatedYAML": func() (string, string) {
			victim := w.someOther("merged")
			for path := range listing(w.t, w.repository) {
				if strings.Contains(path, ".kratix/default-"+victim+".") {
					return w.forgedPath(path, victim)
				}
			}
			return "", ""
		},
		"of a request on another Destination": w.forgeFleetRecord,
	}
	names := slices.Sorted(maps.Keys(forgeries))
	kind := names[w.rng.IntN(len(names))]
	w.harmless("a record that is forged "+kind, func() {
		path, content := forgeries[kind]()
		if path == "" {
			return
		}
		w.push(path, content)
		w.waitForRound()
		time.Sleep(removalDelay)
		w.waitForRound()
		w.pushChange(func(clone string) {
			if kind != "of a request on another Destination" {
				_ = os.Remove(filepath.Join(clone, filepath.FromSlash(path)))
			}
		})
	})
}

func (w *trial) show(path string) string {
	w.t.Helper()
	return gittest.Git(w.t, w.repository, "show", "main:"+path) + "\n"
}

func (w *trial) someOther(kind string) string {
	for _, name := range slices.Sorted(maps.Keys(w.others)) {
		if kindOf(name) == kind {
			return name
		}
	}
	name := kind + "-00"
	w.putOther(name)
	w.awaitWritten("")
	return name
}

func (w *trial) inName(record, victim, name string) string {
	if w.rng.IntN(3) == 0 {
		return strings.ReplaceAll(record, "  name: "+victim, "  name: "+name)
	}
	return strings.ReplaceAll(record, ": "+victim, ": "+name)
}

func (w *trial) forgedFor(kind, victim string) string {
	return w.inName(w.show(fmt.Sprintf("clusters/%s/.kratix/default-%s.%[1]s-5058f.yaml", kind, victim)), victim, "forged")
}

func (w *trial) forgedPath(path, victim string) (string, string) {
	w.t.Helper()
	return recordPathOn(w.t, "merged", "clusters/merged", "forged"), w.inName(w.show(path), victim, "forged")
}

func (w *trial) forgeFleetRecord() (string, string) {
	w.t.Helper()
	there := w.fleet.present()
	name := w.someOther("roam")
	for path := range listing(w.t, w.repository) {
		if len(there) == 0 || !strings.Contains(path, ".kratix/default-"+name+".") {
			continue
		}
		record, err := layout.ParseRecord([]byte(w.show(path)))
		if err != nil || record.Placement == nil {
			continue
		}
		target := there[w.rng.IntN(len(there))]
		if record.Placement.Spec.TargetDestinationName == target.name {
			continue
		}
		base, _ := layout.RecordBase(testkit.Path(path))
		content := strings.ReplaceAll(w.show(path), record.Placement.Spec.TargetDestinationName, target.name)
		return recordPathOn(w.t, target.name, target.path, name), strings.ReplaceAll(content, base.String()+"/", target.path+"/")
	}
	return "", ""
}

func (w *trial) tenantForges() {
	w.t.Helper()
	w.harmless("a Work with a record among its files", func() {
		victim := w.someOther("flat")
		file := []string{".kratix/removals", ".kratix/default-" + victim + ".flat-5058f.yaml", ".kratix/x.yaml"}[w.rng.IntN(3)]
		w.workOf("flat", "flat-forger", "{name: flat}", 1, map[string]string{file: "files:\n- /clusters/flat/" + otherFile(victim) + "\n"})
		w.waitForPage("/api/v1/report", `"KS008"`, "Work default/flat-forger")
		w.remove("flat-forger.yaml")
	})
}
