package kube

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func (p *platform) createAsKratix(w *kratix.Work, destination string) map[string]string {
	p.t.Helper()
	p.object(w)
	w.Generation = 1
	left := testkit.Placement(w, destination)
	left.Finalizers = []string{kratix.PlacementFinalizer}
	left.Spec.Generation = 0
	p.object(left)
	files := map[string]string{}
	for _, workload := range w.Spec.WorkloadGroups[0].Workloads {
		content, err := kratix.Decode(workload.Content)
		must(p.t, err)
		files[workload.Filepath] = string(content)
	}
	return files
}

func (p *platform) checkFiles(files map[string]string) {
	p.t.Helper()
	p.waitForFiles(slices.Sorted(maps.Keys(files))...)
	for file, content := range files {
		if got := gittest.Git(p.t, p.repository, "show", "main:"+file); got != strings.TrimSuffix(content, "\n") {
			p.t.Errorf("%s is now\n%s", file, got)
		}
		if got := gittest.Git(p.t, p.repository, "log", "--format=%h", "main", "--", file); strings.Contains(got, "\n") {
			p.t.Errorf("commits of %s: %s", file, got)
		}
	}
}

func TestTreeOfKratixIsAdopted(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	one, two := map[string]string{"on": "1"}, map[string]string{"on": "2"}
	p.destination("worker-1", "default", "none", one)
	p.destination("worker-2", "default", "none", two)
	tree := map[string]string{"worker-1/README.md": "made by hand\n"}
	leave := func(dir, destination string, w *kratix.Work) {
		for file, content := range p.createAsKratix(w, destination) {
			tree[destination+"/"+dir+"/"+file] = content
		}
	}
	dependency := work("redis", two, "operator", "crd")
	dependency.Spec.ResourceName = ""
	leave("resources/default/redis/a/instance/5058f", "worker-1", work("a", nil, "one", "more"))
	leave("resources/default/redis/b/instance/5058f", "worker-2", work("b", nil, "two"))
	leave("resources/default/redis/c/instance/5058f", "worker-2", work("c", two, "three"))
	leave("dependencies/redis/instance/5058f", "worker-2", dependency)
	gittest.Commit(t, p.repository, "main", tree)

	p.schedule()
	for _, w := range []string{"a", "b", "c", "redis"} {
		p.waitForCondition("work/"+w, "Ready", "True AllWorkplacementsScheduled")
	}
	p.checkFiles(tree)
	if got := strings.Fields(p.kubectl("get", "workplacements", "-o", "jsonpath={.items[*].metadata.name}")); !slices.Equal(got,
		[]string{"a.worker-1-5058f", "b.worker-2-5058f", "c.worker-2-5058f", "redis.worker-2-5058f"}) {
		t.Errorf("WorkPlacements %v", got)
	}
	p.kubectl("delete", "work/b")
	delete(tree, "worker-2/resources/default/redis/b/instance/5058f/two.yaml")
	p.checkFiles(tree)
}

func TestAggregatedFileOfKratixIsAdopted(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.DestinationKind, "metadata": map[string]any{"name": "worker-1"},
		"spec": map[string]any{
			"path": "worker-1", "filepath": map[string]any{"mode": kratix.AggregatedYAML, "filename": "all.yaml"},
			"stateStoreRef": map[string]any{"kind": kratix.GitStateStoreKind, "name": "default"},
		},
	})
	var parts []string
	for _, w := range []*kratix.Work{work("a", nil, "one", "two"), work("b", nil, "three"), work("c", nil, "four")} {
		files := p.createAsKratix(w, "worker-1")
		for _, workload := range w.Spec.WorkloadGroups[0].Workloads {
			parts = append(parts, files[workload.Filepath])
		}
	}
	const file = "worker-1/all.yaml"
	left := strings.Join(parts, "\n---\n")
	gittest.Commit(t, p.repository, "main", map[string]string{file: left})

	p.schedule()
	for _, w := range []string{"a", "b", "c"} {
		p.waitForCondition("work/"+w, "Ready", "True AllWorkplacementsScheduled")
		p.waitForCondition("workplacement/"+w+".worker-1-5058f", "WriteSucceeded", "True WorkloadsWrittenToStateStore")
	}
	p.checkFiles(map[string]string{file: left})

	p.kubectl("delete", "work/b")
	want := strings.Join(slices.Delete(parts, 2, 3), "\n---\n")
	p.eventually("the file", func() string {
		if got := gittest.Git(t, p.repository, "show", "main:"+file); got != strings.TrimSuffix(want, "\n") {
			return "it is\n" + got
		}
		return ""
	})
	p.kubectl("delete", "work/a", "work/c")
	p.waitForFiles()
}
