package kube

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/judge"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

type promotion struct {
	*platform
	kratix *standIn
}

func newPromotion(t testing.TB, options kratixlike.Options, flags ...string) *promotion {
	t.Helper()
	p := &promotion{platform: newPlatform(t, "promote", flags...)}
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.GitStateStoreKind, "metadata": map[string]any{"name": "staging"},
		"spec": map[string]any{
			"url": p.server.URL + "/" + filepath.Base(p.repository), "branch": "staging", "secretRef": map[string]any{"name": "git", "namespace": "default"},
		},
	})
	gittest.Commit(t, p.repository, "main", map[string]string{"README.md": "what clusters read\n"})
	p.kratix = p.standIn(options)
	return p
}

func (p *promotion) addDestination(name, cleanup string, labels map[string]string, live ...string) {
	p.t.Helper()
	annotations := map[string]string{scheduler.StateStoreAnnotation: "GitStateStore/default"}
	if len(live) > 0 {
		annotations[scheduler.StateStoreAnnotation] = live[0]
	}
	if len(live) > 0 && live[0] == "" {
		annotations = nil
	}
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.DestinationKind,
		"metadata": map[string]any{"name": name, "labels": labels, "annotations": annotations},
		"spec": map[string]any{
			"path": name, "cleanup": cleanup, "stateStoreRef": map[string]any{"kind": kratix.GitStateStoreKind, "name": "staging"},
		},
	})
}

func (p *promotion) promote(args ...string) *process {
	p.t.Helper()
	return p.schedule(append([]string{"--promote"}, args...)...)
}

func (p *promotion) waitForPromotion(work string) {
	p.t.Helper()
	p.eventually("WorkPlacements of "+work, func() string {
		if len(p.placementsOf(work)) == 0 {
			return "there are none"
		}
		return ""
	})
	for _, placement := range p.placementsOf(work) {
		_, err := p.try("wait", "--for=condition=Promoted", "--timeout=40s", "workplacement/"+placement)
		must(p.t, err)
	}
}

func (p *promotion) waitForLiveFiles(want ...string) {
	p.t.Helper()
	p.waitForFiles(append([]string{"README.md"}, want...)...)
}

func (p *promotion) filesOf(branch string) []string {
	p.t.Helper()
	files := strings.Fields(gittest.Git(p.t, p.repository, "ls-tree", "-r", "--name-only", branch))
	return slices.DeleteFunc(files, func(f string) bool { return strings.Contains(f, "canary") || strings.Contains(f, ".kratix/") })
}

func (p *promotion) waitForStagedFile(file string) {
	p.t.Helper()
	for late := time.Now().Add(time.Minute); gittest.Git(p.t, p.repository, "ls-tree", "--name-only", "staging", file) == ""; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(late) {
			p.t.Fatalf("Kratix has not written %s", file)
		}
	}
}

// waitForEqualBranches waits until both branches have the same files for these Destinations,
// without canary files and records.
func (p *promotion) waitForEqualBranches(destinations ...string) {
	p.t.Helper()
	for _, d := range destinations {
		p.eventually(d+" in the staging and the live store", func() string {
			differ := strings.Fields(gittest.Git(p.t, p.repository, "diff", "--name-only", "staging", "main", "--", d))
			differ = slices.DeleteFunc(differ, func(f string) bool { return strings.Contains(f, ".kratix/") || strings.Contains(f, "canary") })
			if len(differ) > 0 {
				return "these files differ: " + strings.Join(differ, ", ")
			}
			return ""
		})
	}
}

func TestKratixWritesToStagingAndNoConflictIsLive(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	p.addDestination("worker-1", "none", map[string]string{"environment": "dev"})
	p.promote("--leader-elect")
	one := p.applyFile("work-example.yaml")
	p.waitForPromotion(one)
	p.waitForEqualBranches("worker-1")
	before := p.files()
	two := p.applyFile("work-second-request.yaml")
	conflict := "workplacement/" + two + ".worker-1-5058f"
	p.waitForCondition(conflict, "Ready", "True WorkloadsWrittenToTargetDestination")
	p.waitForCondition(conflict, "Promoted", "False DuplicateResources")
	p.waitForCondition(conflict, "ConflictFree", "False DuplicateResources")
	p.waitForCondition("work/"+two, "ConflictFree", "False DuplicateResources")
	p.waitForCondition("destination/worker-1", "ConflictFree", "False DuplicateResources")
	p.waitForCondition("work/"+two, "Ready", "True AllWorkplacementsScheduled") // Kratix sets this condition
	if said := p.kubectl("describe", "work/"+two); !strings.Contains(said, "may not add resource with an already registered id") {
		t.Errorf("kubectl describe does not give Flux's words:\n%s", said)
	}
	if staged := p.filesOf("staging"); len(staged) < len(before)+4 { // staging has no README.md
		t.Errorf("staging has %v", staged)
	}
	if now := p.files(); !slices.Equal(now, before) {
		t.Errorf("main has %v, want %v", now, before)
	}

	began := time.Now().Truncate(time.Second)
	p.kubectl("delete", "work/"+one, "--wait=false")
	p.waitForPromotion(two)
	p.waitForCondition("work/"+two, "ConflictFree", "True NoConflict")
	p.waitForCondition("destination/worker-1", "ConflictFree", "True NoConflict")
	seconds := gittest.Git(t, p.repository, "log", "-1", "--format=%ct", "--diff-filter=A", "main", "--", "worker-1/resources")
	var at int64
	_, err := fmt.Sscan(seconds, &at)
	must(t, err)
	if after := time.Unix(at, 0).Sub(began); after > 2*time.Second {
		t.Errorf("the held request is live %v after the other was deleted, want within 2 s", after)
	}
	p.waitForEqualBranches("worker-1")
	p.fluxNeverRefuses("worker-1")
	verdict, err := judge.New(p.repository).Walk(t.Context(), "staging", judge.Roots("worker-1", "")...)
	must(t, err)
	if len(verdict.Refusals) == 0 {
		t.Error("Flux would have refused nothing of staging either")
	}
}

func TestConflictingUpdateIsNotLive(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	p.addDestination("worker-1", "none", nil)
	p.promote()
	p.object(work("a", nil, "shared"))
	p.object(work("b", nil, "b"))
	p.waitForPromotion("a")
	p.waitForPromotion("b")
	dir := "worker-1/resources/default/redis/"
	p.object(work("b", nil, "b", "shared"))
	p.waitForCondition("workplacement/b.worker-1-5058f", "Promoted", "False DuplicateResources")
	p.waitForLiveFiles(dir+"a/instance/5058f/shared.yaml", dir+"b/instance/5058f/b.yaml")
	p.object(work("a", nil, "a"))
	p.waitForPromotion("b")
	p.waitForLiveFiles(dir+"a/instance/5058f/a.yaml", dir+"b/instance/5058f/b.yaml", dir+"b/instance/5058f/shared.yaml")
	p.waitForEqualBranches("worker-1")
	p.fluxNeverRefuses("worker-1")
}

func TestLiveFilesStayWhenLabelsChange(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	dev, other := map[string]string{"environment": "dev"}, map[string]string{"environment": "other"}
	p.addDestination("worker-1", "none", dev)
	p.addDestination("worker-2", "none", other)
	p.promote()
	p.object(work("a", dev, "one"))
	p.waitForPromotion("a")
	head := gittest.Git(t, p.repository, "rev-parse", "main")
	for range 3 {
		p.addDestination("worker-1", "none", other)
		p.addDestination("worker-2", "none", dev)
		p.waitForCondition("work/a", "Ready", "False Misplaced")
		p.addDestination("worker-1", "none", dev)
		p.addDestination("worker-2", "none", other)
	}
	p.object(work("b", other, "two"))
	p.waitForPromotion("b")
	p.waitForLiveFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml", "worker-2/resources/default/redis/b/instance/5058f/two.yaml")
	if said := gittest.Git(t, p.repository, "log", "--format=%s", head+"..main", "--", "worker-1"); said != "" {
		t.Errorf("commits of what has not changed: %s", said)
	}
	p.fluxNeverRefuses("worker-1", "worker-2")
}

func TestLiveDestinationGoesWithItsFilesOrWithoutThem(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	on := func(n string) map[string]string { return map[string]string{"on": n} }
	p.addDestination("worker-1", "all", on("1"))
	p.addDestination("worker-2", "none", on("2"))
	p.addDestination("worker-3", "all", on("3"))
	daemon := p.promote()
	for _, n := range []string{"1", "2", "3"} {
		p.object(work("w"+n, on(n), "c"+n))
		p.waitForPromotion("w" + n)
	}
	file := func(n string) string {
		return "worker-" + n + "/resources/default/redis/w" + n + "/instance/5058f/c" + n + ".yaml"
	}
	p.waitForField("destination/worker-1", "{.metadata.finalizers}", `["kratix.io/destination-cleanup","`+kratix.LiveFinalizer+`"]`)
	if got := p.get("destination/worker-2", "{.metadata.finalizers}"); got != "" {
		t.Errorf("a Destination that leaves its files has the finalizers %s", got)
	}
	p.addDestination("worker-3", "all", on("3"), "")
	p.waitForCondition("workplacement/w3.worker-3-5058f", "Promoted", "False NotPromoted")
	p.waitForField("destination/worker-3", "{.metadata.finalizers}", `["kratix.io/destination-cleanup"]`)
	p.waitForLiveFiles(file("1"), file("2"), file("3"))
	daemon.stop(t)

	p.kubectl("delete", "destination/worker-1", "destination/worker-2", "destination/worker-3", "--wait=false")
	p.waitForField("destination/worker-1", "{.metadata.finalizers}", `["`+kratix.LiveFinalizer+`"]`) // Kratix has removed its own finalizer
	p.kubectl("wait", "--for=delete", "--timeout=40s", "destination/worker-2", "destination/worker-3")
	p.waitForLiveFiles(file("1"), file("2"), file("3"))
	p.promote()
	p.kubectl("wait", "--for=delete", "--timeout=40s", "destination/worker-1")
	p.waitForLiveFiles(file("2"), file("3"))
	if got := gittest.Git(t, p.repository, "ls-tree", "-r", "--name-only", "main", "worker-1"); got != "" {
		t.Errorf("worker-1 has left %s", got)
	}
	p.fluxNeverRefuses("worker-1", "worker-2", "worker-3")
}

func TestDependencyIsLiveWhereNothingConflicts(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	all := map[string]string{"all": "yes"}
	for _, name := range []string{"worker-1", "worker-2", "worker-3"} {
		p.addDestination(name, "none", map[string]string{"all": "yes", "on": name})
	}
	p.promote()
	owner, promise := work("owner", map[string]string{"on": "worker-2"}, "shared"), work("promise", all, "shared")
	owner.Spec.ResourceName, promise.Spec.ResourceName = "", ""
	owner.Spec.PromiseName = "other"
	p.object(owner)
	p.waitForPromotion("owner")
	p.object(promise)
	for name, want := range map[string]string{"worker-1": "True Promoted", "worker-2": "False DuplicateResources", "worker-3": "True Promoted"} {
		p.waitForCondition("workplacement/promise."+name+"-5058f", "Promoted", want)
	}
	p.waitForCondition("work/promise", "ConflictFree", "False DuplicateResources")
	dir := "/dependencies/redis/instance/5058f/shared.yaml"
	p.waitForLiveFiles("worker-1"+dir, "worker-2/dependencies/other/instance/5058f/shared.yaml", "worker-3"+dir)
	p.kubectl("delete", "work/owner", "--wait=false")
	p.waitForPromotion("promise")
	p.waitForLiveFiles("worker-1"+dir, "worker-2"+dir, "worker-3"+dir)
	p.fluxNeverRefuses("worker-1", "worker-2", "worker-3")
}

func TestLiveGroupsAreAddedAndRemoved(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	on := func(n string) map[string]string { return map[string]string{"on": n} }
	p.addDestination("worker-1", "none", on("1"))
	p.addDestination("worker-2", "none", on("2"))
	p.promote()
	both := work("a", on("1"), "one")
	second := work("", on("2"), "two").Spec.WorkloadGroups[0]
	second.Directory, second.ID = "second", kratix.GroupID("second")
	both.Spec.WorkloadGroups = append(both.Spec.WorkloadGroups, second)
	p.object(both)
	first := "worker-1/resources/default/redis/a/instance/5058f/one.yaml"
	p.waitForLiveFiles(first, "worker-2/resources/default/redis/a/instance/"+kratix.ShortID(second.ID)+"/two.yaml")
	p.waitForPromotion("a")
	p.object(work("a", on("1"), "one"))
	p.waitForLiveFiles(first)
	p.fluxNeverRefuses("worker-1", "worker-2")
}

func TestKilledPromoterPromotesEachWorkOnce(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	var names []string
	for i := range 3 {
		names = append(names, fmt.Sprint("worker-", i))
		p.addDestination(names[i], "none", nil)
	}
	first := p.promote()
	for i := range 20 {
		p.object(work(fmt.Sprint("w", i), nil, fmt.Sprint("c", i)))
		if i == 10 {
			first.kill()
		}
	}
	p.kubectl("delete", "work/w1", "--wait=false") // while no promoter is running
	p.kubectl("wait", "--for=delete", "--timeout=40s", "work/w1")
	p.promote()
	for i := range 20 {
		if i != 1 {
			p.waitForPromotion(fmt.Sprint("w", i))
		}
	}
	p.eventually("the store", func() string {
		if got := len(p.files()); got != 20 { // including README.md
			return fmt.Sprintf("%d files, want 20", got)
		}
		return ""
	})
	p.waitForEqualBranches(names...)
	p.fluxNeverRefuses(names...)
}

func TestUnpromotedWorkPlacementsReportWhy(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	for name, live := range map[string]string{
		"none": "", "malformed": "default", "missing": "GitStateStore/other", "same": "GitStateStore/staging", "good": "GitStateStore/default",
	} {
		p.addDestination(name, "none", map[string]string{"on": name}, live)
		p.object(work("w-"+name, map[string]string{"on": name}, "c"))
	}
	p.promote()
	p.waitForPromotion("w-good")
	for name, want := range map[string]string{
		"none": "False NotPromoted", "malformed": "False InvalidLiveStore", "missing": "False InvalidLiveStore", "same": "False InvalidLiveStore",
	} {
		p.waitForCondition("workplacement/w-"+name+"."+name+"-5058f", "Promoted", want)
	}
	p.waitForLiveFiles("good/resources/default/redis/w-good/instance/5058f/c.yaml")
	for _, name := range []string{"none", "malformed", "missing", "same", "good"} { // Kratix writes the canaries of every Destination
		p.waitForStagedFile(name + "/resources/kratix-canary-configmap.yaml")
	}
	head := gittest.Git(t, p.repository, "rev-parse", "staging")
	p.addDestination("none", "none", map[string]string{"on": "none"})
	p.waitForPromotion("w-none")
	if now := gittest.Git(t, p.repository, "rev-parse", "staging"); now != head {
		t.Errorf("staging was written: %s", gittest.Git(t, p.repository, "log", "--format=%an %s", head+"..staging"))
	}
}

func TestEndlessGenerationsAreFollowedSlowly(t *testing.T) {
	log, flags := newAudit(t)
	p := newPromotion(t, kratixlike.Options{}, flags...)
	p.addDestination("worker-1", "none", nil)
	p.promote()
	w := work("static", nil, "one")
	w.Spec.ResourceName = ""
	p.object(w)
	p.waitForPromotion("static")
	head := gittest.Git(t, p.repository, "rev-parse", "main")
	log.written()
	began := time.Now()
	updates := 0
	for ; updates < 10 || time.Since(began) < 20*time.Second; updates++ {
		at := fmt.Sprintf(`{"spec":{"lastExecutionTimestamp":"2026-01-31T12:%02d:%02dZ"}}`, updates/60%60, updates%60)
		p.kubectl("patch", "work/static", "--type=merge", "-p", at)
	}
	lasted := time.Since(began)
	ours := log.written()
	t.Logf("%d updates in %v are %v of our writes", updates, lasted.Round(time.Second), ours)
	if got, most := sum(ours), 2+int(lasted/(10*time.Second)); got > most {
		t.Errorf("%d writes of ours, want %d at most", got, most)
	}
	p.waitForField("workplacement/static.worker-1-5058f", "{.spec.generation}", p.get("work/static", "{.metadata.generation}"))
	p.waitForPromotion("static")
	if now := gittest.Git(t, p.repository, "rev-parse", "main"); now != head {
		t.Errorf("there are commits: %s", gittest.Git(t, p.repository, "log", "--format=%s", head+"..main"))
	}
	time.Sleep(2 * time.Second)
	log.written()
	time.Sleep(12 * time.Second)
	if got := log.written(); sum(got) > 0 {
		t.Errorf("nothing happens, and there are the writes %v of ours", got)
	}
}

func TestSharedObjectIsLiveOnce(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	p.addDestination("worker-1", "none", nil, "")
	p.promote("--on-conflict", "share", "--live-store", "GitStateStore/staging=GitStateStore/default")
	p.object(work("a", nil, "shared", "a"))
	p.waitForPromotion("a")
	p.object(work("b", nil, "shared", "b"))
	p.waitForPromotion("b")
	dir := "worker-1/resources/default/redis/"
	p.kubectl("delete", "work/a", "--wait=false")
	p.waitForLiveFiles(dir+"b/instance/5058f/b.yaml", dir+"b/instance/5058f/shared.yaml")
	p.waitForPromotion("b")
	p.fluxNeverRefuses("worker-1")
}

func TestFailingLiveStoreIsReported(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	p.addDestination("worker-1", "none", nil)
	p.promote()
	p.object(work("a", nil, "a"))
	p.waitForPromotion("a")
	p.secret("git", "another password")
	p.object(map[string]any{ // Kratix continues, because it uses another Secret
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "kratixs", "namespace": "default"},
		"stringData": map[string]string{"username": gittest.User, "password": gittest.Password, "ca.crt": string(p.server.CA)},
	})
	p.kubectl("patch", "gitstatestore/staging", "--type=merge", "-p", `{"spec":{"secretRef":{"name":"kratixs"}}}`)
	p.object(work("b", nil, "b"))
	p.waitForCondition("workplacement/b.worker-1-5058f", "Promoted", "False StateStoreNotReady")
	p.waitForCondition("destination/worker-1", "Ready", "True TestDocumentsWritten") // Kratix sets this condition
	if got := p.condition("workplacement/a.worker-1-5058f", "Promoted"); got != "True Promoted" {
		t.Errorf("what is promoted is %s", got)
	}
	p.secret("git", gittest.Password)
	p.waitForPromotion("b")
}

func TestStagingAndLiveAreDirectoriesOfOneBranch(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	p.gitStore("staging", "staging")
	p.addDestination("worker-1", "none", nil)
	p.promote()
	var want []string
	for i := range 10 {
		name := fmt.Sprint("w", i)
		p.object(work(name, nil, "c"+name))
		for _, dir := range []string{"staging/", ""} {
			want = append(want, dir+"worker-1/resources/default/redis/"+name+"/instance/5058f/c"+name+".yaml")
		}
	}
	for i := range 10 {
		p.waitForPromotion(fmt.Sprint("w", i))
	}
	p.eventually("Kratix", func() string {
		if got := len(p.files()); got != 21 {
			return fmt.Sprintf("%d files", got)
		}
		return ""
	})
	slices.Sort(want)
	p.waitForLiveFiles(want...)
	p.object(work("conflict", nil, "cw1"))
	p.waitForCondition("workplacement/conflict.worker-1-5058f", "Promoted", "False DuplicateResources")
	p.fluxNeverRefuses("worker-1")
}
