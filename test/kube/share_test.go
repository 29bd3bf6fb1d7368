package kube

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/share"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

// fleet are stores that replicas share: each is a repository of its own, and has
// one Destination of the same name.
type fleet struct {
	*platform
	stores []string
	// replicas are two that have about as many stores each.
	replicas [2]string
}

func newFleet(t *testing.T, stores int) *fleet {
	t.Helper()
	f := &fleet{platform: newPlatform(t, "base")}
	for i := range stores {
		name := fmt.Sprintf("s%d", i)
		f.stores = append(f.stores, name)
		gittest.Git(t, "", "init", "--bare", "--initial-branch=main", f.repositoryOf(name))
		f.gitStoreAt(name, f.repositoryOf(name), "")
		f.destination(name, name, "none", nil)
	}
	for try := 0; f.replicas[1] == ""; try++ {
		names := [2]string{fmt.Sprintf("replica-%d-a", try), fmt.Sprintf("replica-%d-b", try)}
		if n := len(f.ownedBy(names[0], names[:]...)); n == stores/2 {
			f.replicas = names
		}
	}
	return f
}

func (f *fleet) repositoryOf(store string) string {
	return filepath.Join(filepath.Dir(f.repository), store+".git")
}

// ownedBy returns the stores that one of some replicas writes to.
func (f *fleet) ownedBy(replica string, all ...string) []string {
	return slices.DeleteFunc(slices.Clone(f.stores), func(store string) bool {
		object := &kratix.GitStateStore{}
		object.Spec.URL = f.server.URL + "/" + store + ".git"
		return share.Owner(object.Location().Place, all) != replica
	})
}

// replica starts one, with a lease of three seconds.
func (f *fleet) replica(name string, args ...string) *process {
	f.t.Helper()
	args = append([]string{"POD_NAME=" + name, program, "run", "--kube", "--kubeconfig", f.shipped(), "--interval", "1h",
		"--lease-namespace", namespace, "--replicas-share", "--lease-duration", "3s"}, args...)
	return run(f.t, "env", args...)
}

// commits counts, for each file of a store that is no canary, the commits that
// touched it.
func (f *fleet) commits(store string) map[string]int {
	f.t.Helper()
	counts := map[string]int{}
	if gittest.Git(f.t, f.repositoryOf(store), "branch", "--list", "main") == "" {
		return counts
	}
	for line := range strings.SplitSeq(gittest.Git(f.t, f.repositoryOf(store), "log", "--format=", "--name-only", "main"), "\n") {
		if line != "" && !strings.Contains(line, "canary") {
			counts[line]++
		}
	}
	return counts
}

// areReady waits until Works are ready.
func (f *fleet) areReady(works []string) {
	f.t.Helper()
	f.eventually("the Works", func() string {
		said := f.get("works", `{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].reason}{"\n"}{end}`)
		var missing []string
		for _, name := range works {
			if !strings.Contains(said+"\n", name+"=AllWorkplacementsScheduled\n") {
				missing = append(missing, name)
			}
		}
		if len(missing) > 0 {
			return fmt.Sprintf("%d are not ready: %v", len(missing), missing)
		}
		return ""
	})
}

// TestTwoReplicasShareTenStores kills one of them in the middle of its work.
// Everything is written, and each placement once.
func TestTwoReplicasShareTenStores(t *testing.T) {
	f := newFleet(t, 10)
	addresses := []string{address(t), address(t)}
	first := f.replica(f.replicas[0], "--listen", addresses[0])
	second := f.replica(f.replicas[1], "--listen", addresses[1])
	f.settles(f.replicas[:]...)
	for _, store := range f.stores {
		f.comesTo("destination/"+store, "Ready", "True TestDocumentsWritten")
	}
	var before []float64
	for _, at := range addresses {
		before = append(before, f.counted(at, "kratix_schedule_write_files_count"))
	}
	dependency := work("dependency", nil, "of-all")
	dependency.Spec.ResourceName = ""
	f.object(dependency)
	works := []string{"dependency"}
	f.areReady(works)
	for i, replica := range f.replicas {
		if got, want := f.counted(addresses[i], "kratix_schedule_write_files_count")-before[i], float64(len(f.stores)/2); got != want {
			t.Errorf("%s has written %v times, and has %v stores", replica, got, want)
		}
	}
	const requests = 40
	var killed time.Time
	for i := range requests {
		name := fmt.Sprintf("r%02d", i)
		f.object(work(name, nil, name))
		works = append(works, name)
		if i == requests/2 {
			first.kill()
			killed = time.Now()
		}
	}
	f.areReady(works)
	t.Logf("all is written %v after a replica was killed", time.Since(killed))

	placed := map[string]string{}
	for line := range strings.SplitSeq(f.get("workplacements", `{range .items[*]}{.metadata.name} {.metadata.labels['kratix\.io/work']} {.spec.targetDestinationName} {.status.versionID} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 5 || fields[4] != "True" {
			t.Errorf("WorkPlacement %q", line)
			continue
		}
		if placed[fields[1]] != "" && fields[1] != "dependency" {
			t.Errorf("%s is on %s and on %s", fields[1], placed[fields[1]], fields[2])
		}
		placed[fields[1]] = fields[2]
		gittest.Git(t, f.repositoryOf(fields[2]), "cat-file", "-e", fields[3]+"^{commit}")
	}
	if len(placed) != len(works) {
		t.Errorf("%d Works have WorkPlacements, want %d", len(placed), len(works))
	}
	files := map[string]string{}
	taken := f.ownedBy(f.replicas[0], f.replicas[:]...)
	onTaken := 0
	for _, store := range f.stores {
		for file, commits := range f.commits(store) {
			name := filepath.Base(file)
			if commits != 1 {
				t.Errorf("%s of %s was committed %d times", file, store, commits)
			}
			if files[name] != "" && name != "of-all.yaml" && !strings.Contains(name, ".kratix") && !strings.HasPrefix(name, "default-") {
				t.Errorf("%s is in %s and in %s", name, files[name], store)
			}
			files[name] = store
			if slices.Contains(taken, store) && strings.Contains(file, "/resources/default/") {
				onTaken++
			}
		}
	}
	for i := range requests {
		name := fmt.Sprintf("r%02d.yaml", i)
		if files[name] != placed[fmt.Sprintf("r%02d", i)] {
			t.Errorf("%s is in %q, its WorkPlacement says %q", name, files[name], placed[fmt.Sprintf("r%02d", i)])
		}
	}
	if onTaken == 0 {
		t.Error("nothing was placed on the stores of the replica that was killed: the test shows nothing")
	}

	// One that works alone waits for those that share; one that shares comes, and
	// the last one goes.
	alone := address(t)
	f.schedule("--leader-elect", "--lease-duration", "3s", "--listen", alone)
	f.replica("replica-c")
	f.settles("replica-c", f.replicas[1])
	if said, err := page(alone, "/readyz"); err != nil || !strings.Contains(said, "another replica leads") {
		t.Errorf("one that works alone says %q, %v", said, err)
	}
	second.stop(t)
	f.settles("replica-c")
	f.object(work("last", nil, "last"))
	f.areReady([]string{"last"})
	if got := f.kubectl("get", "lease", "kratix-schedule", "-n", namespace, "-o", "jsonpath={.spec.holderIdentity}"); got != "replicas-share" {
		t.Errorf("the Lease is held by %s", got)
	}
}

// settles waits until these replicas live, and act by the same view.
func (f *fleet) settles(replicas ...string) {
	f.t.Helper()
	replicas = slices.Sorted(slices.Values(replicas))
	view := strings.Join(replicas, " ")
	want := strings.TrimSpace(strings.Repeat(view+"\n", len(replicas)))
	f.eventually("the replicas", func() string {
		got := strings.TrimSpace(f.get("leases -n "+namespace+" -l kratix-schedule.io/member", `{range .items[*]}{.metadata.annotations['kratix-schedule\.io/view']}{"\n"}{end}`))
		if got != want {
			return fmt.Sprintf("their views are %q, want %q", got, want)
		}
		return ""
	})
}
