package soak

import (
	"crypto/sha1" //nolint:gosec // git's own digest
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

// A fault in this file may affect only the request that it concerns.

const allowed = "all until 2100-01-01T00:00:00Z\n"

func (w *trial) allowRemovals(may bool) {
	w.t.Helper()
	word := ""
	if may {
		word = allowed
	}
	if err := os.WriteFile(w.allowance, []byte(word), 0o600); err != nil {
		w.t.Fatal(err)
	}
	w.waitForRound()
}

func (w *trial) roundsDone() int {
	done := 0
	for line := range strings.Lines(w.daemon.page("/metrics")) {
		if labels, ok := strings.CutPrefix(line, "kratix_schedule_rounds_total{"); ok {
			_, value, _ := strings.Cut(strings.TrimSpace(labels), "} ")
			n, _ := strconv.Atoi(value)
			done += n
		}
	}
	return done
}

func (w *trial) waitForRound() {
	w.t.Helper()
	for range 2 {
		w.daemon.signal(syscall.SIGHUP)
		before := w.roundsDone()
		w.waitFor("a round is done", func() bool { return w.roundsDone() > before })
	}
}

func (w *trial) waitFor(what string, is func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(50 * time.Millisecond) {
		w.daemon.checkAlive()
		if time.Now().After(deadline) {
			w.t.Fatalf("not in %s: %s\nthe report:\n%.3000s\nthe log:\n%s", patience, what, w.daemon.page("/api/v1/report"), w.daemon.tail())
		}
	}
}

func (w *trial) written() map[string][2]string {
	files := map[string][2]string{}
	for name, version := range w.works {
		if !w.conflicting[conflictingName(name)] {
			files[name] = [2]string{fmt.Sprintf("clusters/d%d/resources/default/redis/%s/5058f/object.yaml", destinationOf(name), name), manifest(name, version)}
		}
	}
	for name, version := range w.others {
		if kindOf(name) == "flat" {
			files[name] = [2]string{"clusters/flat/" + otherFile(name), manifest(name, version)}
		}
	}
	return files
}

func blob(content string) string {
	sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content)) //nolint:gosec // git's own digest
	return hex.EncodeToString(sum[:])
}

func (w *trial) awaitWritten(excepted string) {
	w.t.Helper()
	var missing []string
	w.untilOr("all others are written", func() bool {
		stored := listing(w.t, w.repository)
		missing = nil
		for name, file := range w.written() {
			if name != excepted && stored[file[0]] != blob(file[1]) {
				missing = append(missing, name)
			}
		}
		return len(missing) == 0
	}, func() string { return fmt.Sprint("missing: ", missing) })
}

func (w *trial) untilOr(what string, is func() bool, why func() string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(100 * time.Millisecond) {
		w.daemon.checkAlive()
		if time.Now().After(deadline) {
			w.t.Fatalf("not in %s: %s: %s\nthe report:\n%.3000s\nthe log:\n%s", patience, what, why(), w.daemon.page("/api/v1/report"), w.daemon.tail())
		}
	}
}

func (w *trial) repairInput() {
	w.t.Helper()
	w.removeBrokenFiles()
	w.labelAll()
	w.awaitWritten("")
}

func (w *trial) placeable() string {
	names := slices.DeleteFunc(slices.Sorted(maps.Keys(w.works)), func(name string) bool { return w.conflicting[conflictingName(name)] })
	if len(names) == 0 {
		w.putWork()
		return w.placeable()
	}
	return names[w.rng.IntN(len(names))]
}

func (w *trial) harmless(what string, meanwhile func()) {
	w.t.Helper()
	w.harmlessIf(what, func() bool { meanwhile(); return true })
}

func (w *trial) harmlessIf(what string, meanwhile func() bool) {
	w.t.Helper()
	w.repairInput()
	before, files, versions := w.head(), map[string]string{}, maps.Clone(w.works)
	maps.Copy(versions, w.others)
	for name, file := range w.written() {
		files[file[0]] = name
		if kindOf(name) != "flat" {
			files[recordPath(w.t, name)] = name
		} else {
			files[fmt.Sprintf("clusters/flat/.kratix/default-%s.flat-5058f.yaml", name)] = name
		}
	}
	if !meanwhile() {
		w.awaitWritten("")
		return
	}
	w.waitForRound()
	for line := range strings.Lines(gittest.Git(w.t, w.repository, "log", "--no-renames", "--format=", "--name-status", before+"..main")) {
		status, path, _ := strings.Cut(strings.TrimSpace(line), "\t")
		name, isThere := files[path]
		now := max(w.works[name], w.others[name])
		changed := status == "M" && now == versions[name] && !strings.Contains(path, "/.kratix/") // a label in the record may still change
		if isThere && now > 0 && (status == "D" || changed) {
			w.t.Errorf("%s: %s %s of %s\n%s", what, status, path, name, w.daemon.tail())
		}
	}
	w.awaitWritten("")
}

// The server rejects a push with this text, as push protection does.
const forbidden = "AKIAIOSFODNN7EXAMPLE"

const protection = `while read -r old new ref; do
  if bad=$(git grep -l ` + forbidden + ` "$new"); then echo "push protection: ${bad#*:} holds a key"; exit 1; fi
done
`

func (w *trial) refused() {
	w.t.Helper()
	w.repairInput()
	hook := filepath.Join(w.repository, "hooks", "pre-receive")
	gittest.Hook(w.t, w.repository, "pre-receive", protection)
	name := w.placeable()
	w.works[name]++
	w.workOf("redis", name, fmt.Sprintf("{name: d%d}", destinationOf(name)), w.works[name],
		map[string]string{"object.yaml": manifest(name, w.works[name]) + "# " + forbidden + "\n"})
	for range 4 {
		if other := w.placeable(); other != name {
			w.works[other]++
			w.work(other, other, w.works[other])
		}
	}
	gone := w.placeable()
	if gone != name && len(w.works) > 10 {
		delete(w.works, gone)
		w.remove(gone + ".yaml")
	}
	w.awaitWritten(name)
	w.waitFor("the refusal is reported", func() bool {
		report := w.daemon.page("/api/v1/report")
		return strings.Contains(report, `"KS066"`) && strings.Contains(report, "Work default/"+name) && strings.Contains(report, "push protection: ")
	})
	if gone != name && w.works[gone] == 0 {
		path := fmt.Sprintf("clusters/d%d/resources/default/redis/%s/5058f/object.yaml", destinationOf(gone), gone)
		w.waitFor("what is gone is removed", func() bool { return listing(w.t, w.repository)[path] == "" })
	}
	if w.rng.IntN(2) == 0 {
		if err := os.Remove(hook); err != nil {
			w.t.Fatal(err)
		}
		w.daemon.signal(syscall.SIGHUP)
		path := w.written()[name][0]
		w.waitFor("what the server takes now is written", func() bool {
			return strings.Contains(gittest.Git(w.t, w.repository, "show", "main:"+path), forbidden)
		})
	}
	w.works[name]++
	w.work(name, name, w.works[name])
	w.awaitWritten("")
	_ = os.Remove(hook)
}

func (w *trial) removeManyWorks(restart bool) {
	w.t.Helper()
	w.harmless("Works that are away for a while", func() {
		w.allowRemovals(false)
		moved := w.moveWorks(w.rng.IntN(2) == 0)
		if restart {
			w.daemon.kill()
			w.daemon.start()
		}
		w.waitForPage("/api/v1/report", `"KS061"`)
		w.sleepUpTo(time.Second)
		w.returnWorks(moved)
		w.waitForRound()
		w.allowRemovals(true)
	})
}

func (w *trial) removeWorksBriefly() {
	w.t.Helper()
	w.harmlessIf("Works that are away for a moment", func() bool {
		return w.undoneBriefly(func() func() {
			moved := w.moveWorks(w.rng.IntN(2) == 0)
			return func() { w.returnWorks(moved) }
		})
	})
}

func (w *trial) undoneBriefly(do func() (undo func())) bool {
	began := time.Now()
	undo := do()
	w.sleepUpTo(removalDelay / 2)
	undo()
	took := time.Since(began)
	if took > removalDelay*3/4 {
		w.t.Logf("a moment took %s", took)
	}
	return took <= removalDelay*3/4
}

func (w *trial) moveWorks(all bool) []string {
	w.t.Helper()
	names := slices.Sorted(maps.Keys(w.works))
	names = append(names, slices.Sorted(maps.Keys(w.others))...)
	if !all {
		w.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		names = names[:(len(names)+1)/2]
	}
	for _, name := range names {
		if err := os.Rename(filepath.Join(w.dir, name+".yaml"), filepath.Join(w.aside, name+".yaml")); err != nil {
			w.t.Fatal(err)
		}
	}
	return names
}

func (w *trial) returnWorks(names []string) {
	w.t.Helper()
	for _, name := range names {
		if err := os.Rename(filepath.Join(w.aside, name+".yaml"), filepath.Join(w.dir, name+".yaml")); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *trial) truncate() {
	w.t.Helper()
	w.harmlessIf("a file that is cut off for a moment", func() bool {
		file := filepath.Join(w.dir, w.placeable()+".yaml")
		return w.undoneBriefly(func() func() { return w.cut(file, w.rng.IntN) })
	})
}

// truncateAndRestart empties or truncates the file of a Work, and restarts the daemon.
func (w *trial) truncateAndRestart() {
	w.t.Helper()
	w.harmless("a file that is cut off while the daemon starts", func() {
		file := filepath.Join(w.dir, w.placeable()+".yaml")
		undo := w.cut(file, func(n int) int { return w.rng.IntN(2) * (n - 3) }) // the file is empty, or nearly complete
		w.daemon.kill()
		w.daemon.start()
		w.waitForRound()
		w.sleepUpTo(2 * removalDelay)
		undo()
	})
}

func (w *trial) cut(file string, at func(int) int) (undo func()) {
	w.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := os.Truncate(file, int64(at(len(content)))); err != nil {
		w.t.Fatal(err)
	}
	return func() { w.write(filepath.Base(file), string(content)) }
}
