package kube

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

// addDestination creates a Destination with its name as the label "name".
func (p *platform) addDestination(name, mode, cleanup string) {
	p.t.Helper()
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.DestinationKind, "metadata": map[string]any{"name": name, "labels": map[string]string{"name": name}},
		"spec": map[string]any{
			"path": name, "cleanup": cleanup, "filepath": map[string]any{"mode": mode}, "initWorkloads": map[string]any{"enabled": mode == kratix.NestedByMetadata},
			"stateStoreRef": map[string]any{"kind": kratix.GitStateStoreKind, "name": "default"},
		},
	})
}

func (p *platform) waitForFilesBelow(dir string, want ...string) {
	p.t.Helper()
	p.eventually("the store", func() string {
		got := strings.Fields(gittest.Git(p.t, p.repository, "ls-tree", "-r", "--name-only", "main", dir+"/"))
		if !slices.Equal(got, want) {
			return fmt.Sprintf("it has %v, want %v", got, want)
		}
		return ""
	})
}

func TestKratixlikeWrites(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	p.addDestination("nested", kratix.NestedByMetadata, "all")
	p.addDestination("kept", kratix.NestedByMetadata, "none")
	p.addDestination("flat", kratix.None, "all")
	p.addDestination("joined", kratix.AggregatedYAML, "none")
	s := p.standIn(kratixlike.Options{})
	p.waitForCondition("destination/nested", "Ready", "True TestDocumentsWritten")
	p.waitForCondition("destination/flat", "Ready", "True DestinationReady")
	p.run("one commit for each placement", (*platform).placementsAreCommits)
	p.run("a directory is replaced whole", (*platform).directoriesAreReplaced)
	p.run("files are removed before finalizers", (*platform).filesGoFirst)
	p.run("mode none", (*platform).listedFiles)
	p.run("mode aggregatedYAML", (*platform).joinedFiles)
	p.run("a branch that moves", (*platform).branchMoves)
	p.run("a Destination that cleans up", (*platform).destinationCleansUp)
	p.run("a Destination that does not", (*platform).destinationLeavesFiles)
	p.run("a delay, and a restart within it", func(p *platform, t *testing.T) { p.delayedWrite(t, s) })
}

const nestedCanaries, keptCanaries = "nested/dependencies/kratix-canary-namespace.yaml nested/resources/kratix-canary-configmap.yaml",
	"kept/dependencies/kratix-canary-namespace.yaml kept/resources/kratix-canary-configmap.yaml"

func (p *platform) placementsAreCommits(t *testing.T) {
	before := gittest.Commits(t, p.repository, "main")
	a := work("a", map[string]string{"name": "nested"}, "one", "two")
	b := work("b", map[string]string{"name": "nested"}, "three")
	b.Spec.ResourceName = ""
	b.Labels = nil
	p.object(a)
	p.waitForCondition("workplacement/a.nested-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	first := gittest.Git(t, p.repository, "rev-parse", "main")
	p.waitForField("workplacement/a.nested-5058f", "{.status.versionID}", first)
	p.object(b)
	p.waitForCondition("workplacement/b.nested-5058f", "WriteSucceeded", "True WorkloadsWrittenToStateStore")
	p.waitForFilesBelow("nested", "nested/dependencies/kratix-canary-namespace.yaml", "nested/dependencies/redis/5058f/three.yaml",
		"nested/resources/default/redis/a/instance/5058f/one.yaml", "nested/resources/default/redis/a/instance/5058f/two.yaml",
		"nested/resources/kratix-canary-configmap.yaml")
	log := gittest.Git(t, p.repository, "log", "--format=%an: %s", first+"~1..main")
	if want := "kratix: Update WorkPlacement default/b.nested-5058f\nkratix: Update WorkPlacement default/a.nested-5058f"; log != want {
		t.Errorf("commits since %s:\n%s\nwant\n%s", before, log, want)
	}
}

func (p *platform) directoriesAreReplaced(*testing.T) {
	p.object(work("a", map[string]string{"name": "nested"}, "two", "four"))
	p.waitForFilesBelow("nested/resources/default", "nested/resources/default/redis/a/instance/5058f/four.yaml", "nested/resources/default/redis/a/instance/5058f/two.yaml")
}

func (p *platform) filesGoFirst(t *testing.T) {
	tried := filepath.Join(t.TempDir(), "tried")
	gittest.Hook(t, p.repository, "pre-receive", "echo >>"+tried+"; test -e open || exit 1\n")
	p.kubectl("delete", "work/a", "--wait=false")
	p.eventually("a push", func() string {
		_, err := os.Stat(tried)
		return text(err)
	})
	if got := p.get("workplacement/a.nested-5058f", "{.metadata.finalizers[0]}"); got != kratix.PlacementFinalizer {
		t.Errorf("its finalizer is %q while the files are there", got)
	}
	if got := p.get("work/a", "{.metadata.finalizers[0]}"); got != kratix.WorkFinalizer {
		t.Errorf("the Work's finalizer is %q while its WorkPlacement is there", got)
	}
	must(t, os.WriteFile(p.repository+"/open", nil, 0o600))
	p.kubectl("wait", "--for=delete", "--timeout=40s", "work/a", "workplacement/a.nested-5058f")
	p.waitForFilesBelow("nested/resources", strings.Fields(nestedCanaries)[1])
}

func (p *platform) listedFiles(t *testing.T) {
	p.object(work("c", map[string]string{"name": "flat"}, "one", "two"))
	p.waitForFilesBelow("flat", "flat/.kratix/default-c.flat-5058f.yaml", "flat/one.yaml", "flat/two.yaml")
	if got, want := gittest.Git(t, p.repository, "show", "main:flat/.kratix/default-c.flat-5058f.yaml"), "files:\n- flat/one.yaml\n- flat/two.yaml"; got != want {
		t.Errorf("the list is\n%s\nwant\n%s", got, want)
	}
	p.waitForField("workplacement/c.flat-5058f", "{.metadata.finalizers[1]}", kratix.DotFilesFinalizer)
	p.object(work("c", map[string]string{"name": "flat"}, "two", "three"))
	p.waitForFilesBelow("flat", "flat/.kratix/default-c.flat-5058f.yaml", "flat/three.yaml", "flat/two.yaml")
	p.object(work("d", map[string]string{"name": "flat"}, "four"))
	p.waitForCondition("work/d", "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("workplacement/d.flat-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	p.kubectl("delete", "work/c", "--timeout=40s")
	p.waitForFilesBelow("flat", "flat/.kratix/default-d.flat-5058f.yaml", "flat/four.yaml")
}

func (p *platform) joinedFiles(t *testing.T) {
	p.object(work("f", map[string]string{"name": "joined"}, "second"))
	p.waitForCondition("workplacement/f.joined-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	p.object(work("e", map[string]string{"name": "joined"}, "first", "same"))
	p.waitForCondition("workplacement/e.joined-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	const file = "joined/aggregated.yaml"
	p.waitForFilesBelow("joined", file)
	var names []string
	for document := range strings.SplitSeq(gittest.Git(t, p.repository, "show", "main:"+file), "\n---\n") {
		names = append(names, strings.Fields(document)[6])
	}
	if want := []string{"first", "same", "second"}; !slices.Equal(names, want) {
		t.Errorf("documents %v, want %v", names, want)
	}
	p.kubectl("delete", "work/e", "--timeout=40s")
	if got := gittest.Git(t, p.repository, "show", "main:"+file); strings.Contains(got, "first") || !strings.Contains(got, "second") {
		t.Errorf("after the deletion of one it is\n%s", got)
	}
	p.kubectl("delete", "work/f", "--timeout=40s")
	p.waitForFilesBelow("joined")
}

func (p *platform) branchMoves(t *testing.T) {
	p.object(work("g", map[string]string{"name": "kept"}, "zero"))
	p.waitForCondition("workplacement/g.kept-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	gittest.Commit(t, p.repository, "main", map[string]string{"README.md": "by hand\n"})
	p.object(work("g", map[string]string{"name": "kept"}, "one"))
	p.waitForFilesBelow("kept/resources/default", "kept/resources/default/redis/g/instance/5058f/one.yaml")
	if got := gittest.Git(t, p.repository, "show", "main:README.md"); got != "by hand" {
		t.Errorf("README.md is %q", got)
	}
}

func (p *platform) destinationCleansUp(*testing.T) {
	p.object(work("h", map[string]string{"name": "nested"}, "one"))
	p.waitForCondition("workplacement/h.nested-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	p.waitForField("destination/nested", "{.metadata.finalizers[0]}", kratix.DestinationFinalizer)
	p.kubectl("delete", "destination/nested", "--timeout=40s")
	p.waitForFilesBelow("nested")
	p.waitForDestinations("h")
	p.waitForCondition("work/h", "Ready", "False UnscheduledWorkloads")
}

func (p *platform) destinationLeavesFiles(t *testing.T) {
	p.kubectl("delete", "destination/kept", "--timeout=40s")
	p.waitForCondition("work/g", "Ready", "False Misplaced")
	left := append(strings.Fields(keptCanaries), "kept/resources/default/redis/g/instance/5058f/one.yaml")
	slices.Sort(left)
	p.waitForFilesBelow("kept", left...)
	p.kubectl("delete", "work/g", "--timeout=40s")
	p.waitForDestinations("g")
	p.waitForFilesBelow("kept", left...)
}

func (p *platform) delayedWrite(t *testing.T, s *standIn) {
	s.stop()
	const delay = 3 * time.Second
	s.options.WriteDelay = delay
	s.start()
	p.object(work("i", map[string]string{"name": "flat"}, "late"))
	const placement, file = "workplacement/i.flat-5058f", "flat/late.yaml"
	p.waitForCondition(placement, "Ready", "False ScheduledToDestination")
	s.stop()
	time.Sleep(delay)
	if files := p.files(); slices.Contains(files, file) {
		t.Error("it writes after its end")
	}
	restarted := time.Now().Truncate(time.Second) // times of commits are whole seconds
	s.start()
	p.waitForCondition(placement, "Ready", "True WorkloadsWrittenToTargetDestination")
	committed, err := time.Parse(time.RFC3339, gittest.Git(t, p.repository, "log", "-1", "--format=%cI", "main", "--", file))
	must(t, err)
	if took := committed.Sub(restarted); took < delay {
		t.Errorf("written %s after a restart, with a delay of %s", took, delay)
	}
}
