package soak

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

type fault struct {
	name     string
	often    int
	do       func(*trial)
	restarts bool
}

func faults() []fault {
	return []fault{
		{name: "a Work comes or changes", often: 30, do: func(w *trial) { w.putWork() }},
		{name: "a Work goes", often: 10, do: func(w *trial) { w.removeWork() }},
		{name: "a Work conflicts with another, or no longer", often: 8, do: func(w *trial) { w.toggleConflict() }},
		{name: "a Work changes in every round for a while", often: 1, do: (*trial).restless},
		{name: "a Destination loses or gets its label", often: 8, do: func(w *trial) { w.destination(w.rng.IntN(destinations), w.rng.IntN(2) == 0) }},
		{name: "labels flip 1,000 times a minute for a while", often: 2, do: (*trial).flip},
		{name: "the daemon is killed", often: 6, do: func(w *trial) { w.daemon.kill(); w.daemon.start() }, restarts: true},
		{name: "the daemon is stopped and started", often: 2, do: func(w *trial) { w.daemon.stop(); w.daemon.start() }, restarts: true},
		{name: "the daemon is killed and started on a full disk", often: 1, do: func(w *trial) { w.daemon.kill(); w.daemon.startOnFullDisk() }, restarts: true},
		{name: "the daemon receives SIGHUP", often: 3, do: func(w *trial) { w.daemon.signal(syscall.SIGHUP) }},
		{name: "the store answers late", often: 4, do: func(w *trial) { w.disturb(gittest.Fault{Delay: time.Duration(w.rng.IntN(1500)) * time.Millisecond}) }},
		{name: "the store ends in mid-answer", often: 4, do: func(w *trial) { w.disturb(gittest.Fault{After: w.rng.Int64N(3000), Cut: true}) }},
		{name: "the store hangs up", often: 4, do: func(w *trial) { w.disturb(gittest.Fault{Reset: true}) }},
		{name: "the store falls silent", often: 2, do: func(w *trial) { w.disturb(gittest.Fault{After: w.rng.Int64N(3000), Hang: true}) }},
		{name: "the store answers nonsense", often: 3, do: func(w *trial) { w.disturb(gittest.Fault{Garbage: "HTTP/1.1 200 OK\r\n\r\n<html>"}) }},
		{name: "the store's disk is full for a while", often: 2, do: (*trial).fillDisk},
		{name: "someone else commits", often: 3, do: (*trial).commitUnowned},
		{name: "someone damages a file", often: 2, do: (*trial).damage},
		{name: "someone damages a record", often: 1, do: (*trial).damageRecord},
		{name: "files that cannot be read", often: 2, do: func(w *trial) { w.breakFiles(w.rng.IntN(100)) }},
		{name: "10,000 files that cannot be read, for a while", often: 1, do: (*trial).breakMany},
		{name: "the source directory vanishes for a moment", often: 2, do: (*trial).hideSource},
		{name: "the source directory cannot be read for a moment", often: 2, do: (*trial).lockSource},
		{name: "another daemon for a while", often: 2, do: (*trial).runSecondDaemon},
		{name: "another controller with another ID", often: 1, do: (*trial).otherID},
		{name: "another controller with the same ID and other Works", often: 1, do: (*trial).fight},
		{name: "another controller adopts what is there", often: 1, do: (*trial).takeover},
		{name: "the server refuses a file", often: 2, do: (*trial).refused},
		{name: "someone forges a record", often: 2, do: (*trial).forge},
		{name: "a tenant forges a record", often: 1, do: (*trial).tenantForges},
		{name: "a file is cut off for a moment", often: 2, do: (*trial).truncate},
		{name: "a file is cut off while the daemon starts", often: 1, do: (*trial).truncateAndRestart, restarts: true},
		{name: "Works are away for a moment", often: 2, do: (*trial).removeWorksBriefly},
		{name: "Works are away for a while", often: 1, do: func(w *trial) { w.removeManyWorks(false) }},
		{name: "Works are away while the daemon starts", often: 1, do: func(w *trial) { w.removeManyWorks(true) }, restarts: true},
		{name: "a request that may be on several Destinations comes, changes or goes", often: 10, do: func(w *trial) { w.changeOther("roam") }},
		{name: "a Work in another filepath mode comes, changes or goes", often: 6, do: func(w *trial) { w.changeOther("flat", "merged") }},
		{name: "a Destination is deleted, or made again", often: 8, do: func(w *trial) { w.deleteOrReturn() }},
		{name: "a Destination with requests of its own is deleted for a while", often: 3, do: func(w *trial) { w.deleteDestination(w.rng.IntN(destinations)) }},
		{name: "a Destination is new", often: 3, do: func(w *trial) { w.newDestination() }},
		{name: "a Destination gets another path", often: 5, do: func(w *trial) { w.movePath() }},
		{name: "two Destinations swap their paths", often: 5, do: func(w *trial) { w.swapPaths() }},
		{name: "a Destination gets another name", often: 4, do: func(w *trial) { w.changeFleetMember(func(r *fleetMember) { r.name = w.fleet.newName() }) }},
		{name: "one of several Destinations loses or gets its label", often: 5, do: func(w *trial) { w.changeFleetMember(func(r *fleetMember) { r.labelled = w.rng.IntN(2) == 0 }) }},
		{name: "a Destination is cordoned, or no longer", often: 4, do: func(w *trial) { w.changeFleetMember(func(r *fleetMember) { r.cordonedByHand = w.rng.IntN(2) == 0 }) }},
		{name: "an operator cleans up what a Destination has left", often: 3, do: func(w *trial) { w.cleanUp(w.fleet.names[w.rng.IntN(len(w.fleet.names))]) }},
	}
}

func (w *trial) sleepUpTo(most time.Duration) { time.Sleep(time.Duration(w.rng.Int64N(int64(most)))) }

func (w *trial) disturb(fault gittest.Fault) {
	w.proxy.Set(fault)
	w.sleepUpTo(2 * time.Second)
	w.proxy.Set(gittest.Fault{})
}

func (w *trial) fillDisk() {
	w.disk.full.Store(true)
	for range 3 {
		w.putWork()
		w.sleepUpTo(time.Second)
	}
	w.disk.full.Store(false)
}

func (w *trial) restless() {
	name, ok := w.randomWork()
	for n := w.rng.IntN(30); ok && n > 0; n-- {
		w.works[name]++
		w.work(name, name, w.works[name])
		w.sleepUpTo(600 * time.Millisecond)
	}
}

const flips = 100

func (w *trial) flip() {
	for range flips {
		w.destination(w.rng.IntN(destinations), w.rng.IntN(2) == 0)
		time.Sleep(60 * time.Millisecond)
	}
}

func (w *trial) commitUnowned() {
	w.unowned++
	w.push(fmt.Sprintf("clusters/d%d/resources/foreign-%d.yaml", w.rng.IntN(destinations), w.unowned),
		fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: foreign-%d}\n", w.unowned))
}

func (w *trial) damage() {
	listing := strings.Fields(gittest.Git(w.t, w.repository, "ls-tree", "-r", "--name-only", "main"))
	for range 20 {
		path := listing[w.rng.IntN(len(listing))]
		if strings.HasSuffix(path, "/object.yaml") {
			w.push(path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: damaged}\n")
			return
		}
	}
}

func recordPath(t *testing.T, name string) string {
	t.Helper()
	return recordPathOn(t, fmt.Sprintf("d%d", destinationOf(name)), fmt.Sprintf("clusters/d%d", destinationOf(name)), name)
}

func recordPathOn(t *testing.T, destination, dir, name string) string {
	t.Helper()
	path, err := layout.RecordPath(testkit.Destination(destination, testkit.AtPath(dir)), testkit.Placement(testkit.Request(name), destination))
	if err != nil {
		t.Fatal(err)
	}
	return path.String()
}

// damageRecord changes a record, and waits until the daemon has repaired it.
func (w *trial) damageRecord() {
	const damaged = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: damaged}\n"
	name, ok := w.randomWork()
	path := recordPath(w.t, name)
	if !ok || w.conflicting[conflictingName(name)] || gittest.Git(w.t, w.repository, "ls-tree", "main", path) == "" {
		return
	}
	w.destination(destinationOf(name), true) // records of a missing Destination are not repaired
	w.push(path, damaged)
	for deadline := time.Now().Add(patience); gittest.Git(w.t, w.repository, "show", "main:"+path)+"\n" == damaged; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("%s is not mended\n%s", path, w.daemon.tail())
		}
	}
}

func (w *trial) push(path, content string) {
	w.pushChange(func(clone string) {
		file := filepath.Join(clone, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			w.t.Fatal(err)
		}
	})
}

func (w *trial) pushChange(change func(clone string)) {
	clone := gittest.Clone(w.t, w.repository, "main")
	defer os.RemoveAll(clone) //nolint:errcheck // the test removes it too
	change(clone)
	gittest.Git(w.t, clone, "add", "-A")
	if gittest.Git(w.t, clone, "status", "--porcelain") == "" {
		return // the branch already has the change
	}
	gittest.Git(w.t, clone, "commit", "-q", "-m", "by hand")
	git := func(args ...string) error {
		command := exec.Command("git", args...)
		command.Dir, command.Env = clone, gittest.Env()
		return command.Run()
	}
	for range 20 {
		if git("push", "-q", "origin", "HEAD:main") == nil || git("pull", "-q", "--rebase", "origin", "main") != nil {
			return // the pull fails if the daemon has changed the same file
		}
	}
}

func (w *trial) breakMany() {
	w.breakFiles(10_000)
	for range 3 {
		w.putWork()
		w.sleepUpTo(2 * time.Second)
	}
	w.removeBrokenFiles()
}

// withoutInput moves the whole input to another path while meanwhile runs.
func (w *trial) withoutInput(meanwhile func()) {
	w.daemon.awaitAlive()
	away := w.dir + ".away"
	if err := os.Rename(w.dir, away); err != nil {
		w.t.Fatal(err)
	}
	meanwhile()
	if err := os.Rename(away, w.dir); err != nil {
		w.t.Fatal(err)
	}
}

func (w *trial) hideSource() { w.withoutInput(func() { w.sleepUpTo(time.Second) }) }

// lockSource replaces the input by a symbolic link to itself, which not even root can read, for up
// to a second.
func (w *trial) lockSource() {
	w.withoutInput(func() {
		if err := os.Symlink(w.dir, w.dir); err != nil {
			w.t.Fatal(err)
		}
		w.sleepUpTo(time.Second)
		if err := os.Remove(w.dir); err != nil {
			w.t.Fatal(err)
		}
	})
}

func (w *trial) runSecondDaemon() {
	other := &daemon{t: w.t, binary: w.daemon.binary, args: w.daemon.args, log: w.daemon.log}
	other.start()
	for range 5 {
		w.putWork()
		w.sleepUpTo(500 * time.Millisecond)
	}
	other.stop()
}
