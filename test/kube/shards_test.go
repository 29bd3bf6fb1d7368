package kube

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

// shards is a cluster in which each store has a Destination of the same name.
type shards struct {
	*platform
	stores map[string][]string
}

const (
	shardOne = "one"
	shardTwo = "two"
)

func newShards(t *testing.T) *shards {
	t.Helper()
	s := &shards{platform: newPlatform(t, "base"), stores: map[string][]string{
		"": {"s0", "s1", "s2", "s3"}, shardOne: {"s4", "s5", "s6"}, shardTwo: {"s7", "s8", "s9"},
	}}
	for key, stores := range s.stores {
		for _, name := range stores {
			if repository := s.repositoryOf(name); name != "s7" { // s6 and s7 have the same repository
				gittest.Git(t, "", "init", "--bare", "--initial-branch=main", repository)
			}
			s.gitStoreAt(name, s.repositoryOf(name), name)
			s.assign(name, key)
			s.destination(name, name, "none", map[string]string{"store": name})
		}
	}
	return s
}

func (s *shards) repositoryOf(store string) string {
	if store == "s7" {
		store = "s6"
	}
	return filepath.Join(filepath.Dir(s.repository), store+".git")
}

func (s *shards) all() []string {
	return slices.Sorted(slices.Values(slices.Concat(s.stores[""], s.stores[shardOne], s.stores[shardTwo])))
}

func (s *shards) assign(store, key string) {
	s.t.Helper()
	label := kratix.ShardLabel + "=" + key
	if key == "" {
		label = kratix.ShardLabel + "-"
	}
	s.kubectl("label", "--overwrite", "gitstatestore/"+store, label)
}

func (s *shards) replica(key, name, address string) *process {
	s.t.Helper()
	selector := kratix.ShardLabel + "=" + key
	if key == "" {
		selector = "!" + kratix.ShardLabel
	}
	return run(s.t, "env", "POD_NAME="+name, program, "run", "--kube", "--kubeconfig", s.shipped(), "--interval", "1h", "--commits-per-minute", "0", "--listen", address,
		"--lease-namespace", namespace, "--profile-namespace", namespace, "--leader-elect", "--lease-duration", "3s", "--watch-label-selector", selector)
}

func (s *shards) holders() []string {
	s.t.Helper()
	return slices.Sorted(slices.Values(strings.Fields(s.get("leases -n "+namespace, `{range .items[*]}{.spec.holderIdentity}{"\n"}{end}`))))
}

func (s *shards) areReady(works []string) {
	s.t.Helper()
	s.eventually("the Works", func() string {
		said := s.get("works", `{range .items[*]}{.metadata.name}={.status.conditions[?(@.type=="Ready")].reason}{"\n"}{end}`)
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

func (s *shards) writes(address, store string) float64 {
	s.t.Helper()
	return s.counted(address, `kratix_schedule_write_files_count{store="GitStateStore `+store+`"}`)
}

func TestThreeShardsWithTenStores(t *testing.T) {
	s := newShards(t)
	addresses := map[string]string{"": address(t), shardOne: address(t), shardTwo: address(t)}
	first := s.replica(shardOne, "one-a", addresses[shardOne])
	s.eventually("the leader of one shard", func() string {
		if holders := s.holders(); !slices.Equal(holders, []string{"one-a", "shards"}) {
			return fmt.Sprintf("the holders are %v", holders)
		}
		return ""
	})
	second := address(t)
	s.replica(shardOne, "one-b", second)
	s.replica("", "default-a", addresses[""])
	s.replica(shardTwo, "two-a", addresses[shardTwo])
	for _, store := range s.all() {
		s.waitForCondition("destination/"+store, "Ready", "True TestDocumentsWritten")
	}
	dependency := work("dependency", nil, "of-all")
	dependency.Spec.ResourceName = ""
	s.object(dependency)
	works := []string{"dependency"}
	s.areReady(works)
	s.onlyOwnStoresAreWritten(addresses)

	const requests = 40
	var killed time.Time
	for i := range requests {
		name := fmt.Sprintf("r%02d", i)
		s.object(work(name, nil, name))
		works = append(works, name)
		if i == requests/2 {
			first.kill()
			killed = time.Now()
		}
	}
	s.areReady(works)
	t.Logf("all is written %v after a leader was killed", time.Since(killed))
	if got := s.holders(); !slices.Equal(got, []string{"default-a", "one-b", "shards", "two-a"}) {
		t.Errorf("the holders of Leases are %v", got)
	}
	for _, store := range s.stores[shardOne] {
		if s.writes(second, store) == 0 {
			t.Errorf("the new leader of its shard has not written to %s: the test shows nothing", store)
		}
	}
	addresses[shardOne] = second
	s.eachIsWrittenOnce(works)
	s.storeMoves(addresses)
	s.storeOfNoShard(addresses)
	s.processWithoutSelectorWaits()
}

func (s *shards) onlyOwnStoresAreWritten(addresses map[string]string) {
	s.t.Helper()
	for key, at := range addresses {
		for _, store := range s.all() {
			own := slices.Contains(s.stores[key], store)
			if wrote := s.writes(at, store) > 0; wrote != own {
				s.t.Errorf("shard %q has written to %s: %v", key, store, wrote)
			}
			selected := s.counted(at, `kratix_schedule_store_selected{store="GitStateStore `+store+`"}`)
			if (selected == 1) != own {
				s.t.Errorf("shard %q says that it selects %s: %v", key, store, selected)
			}
		}
	}
}

func (s *shards) eachIsWrittenOnce(works []string) {
	s.t.Helper()
	placed := map[string]string{}
	for line := range strings.SplitSeq(s.get("workplacements", `{range .items[*]}{.metadata.name} {.metadata.labels['kratix\.io/work']} {.spec.targetDestinationName} {.status.versionID} {.status.conditions[?(@.type=="Ready")].status}{"\n"}{end}`), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) != 5 || fields[4] != "True" {
			s.t.Errorf("WorkPlacement %q", line)
			continue
		}
		if placed[fields[1]] != "" && fields[1] != "dependency" {
			s.t.Errorf("%s is on %s and on %s", fields[1], placed[fields[1]], fields[2])
		}
		placed[fields[1]] = fields[2]
		gittest.Git(s.t, s.repositoryOf(fields[2]), "cat-file", "-e", fields[3]+"^{commit}")
	}
	if len(placed) != len(works) {
		s.t.Errorf("%d Works have WorkPlacements, want %d", len(placed), len(works))
	}
	files := map[string]string{}
	for _, store := range s.all() {
		for file, commits := range s.commits(store) {
			name := filepath.Base(file)
			if commits != 1 {
				s.t.Errorf("%s of %s was committed %d times", file, store, commits)
			}
			if files[name] != "" && name != "of-all.yaml" && !strings.Contains(name, ".kratix") && !strings.HasPrefix(name, "default-") {
				s.t.Errorf("%s is in %s and in %s", name, files[name], store)
			}
			files[name] = store
		}
	}
	for _, name := range works[1:] {
		if files[name+".yaml"] != placed[name] {
			s.t.Errorf("%s is in %q, its WorkPlacement says %q", name, files[name+".yaml"], placed[name])
		}
	}
}

func (s *shards) commits(store string) map[string]int {
	s.t.Helper()
	counts := map[string]int{}
	for line := range strings.SplitSeq(gittest.Git(s.t, s.repositoryOf(store), "log", "--format=", "--name-only", "main", "--", store), "\n") {
		if line != "" && !strings.Contains(line, "canary") {
			counts[line]++
		}
	}
	return counts
}

func (s *shards) storeMoves(addresses map[string]string) {
	s.t.Helper()
	before := s.writes(addresses[""], "s0")
	const requests = 10
	var works []string
	for i := range requests {
		name := fmt.Sprintf("moving-%d", i)
		s.object(work(name, map[string]string{"store": "s0"}, name))
		works = append(works, name)
		if i == requests/2 {
			s.assign("s0", shardTwo)
		}
	}
	s.areReady(works)
	s.object(work("moved", map[string]string{"store": "s0"}, "moved"))
	s.areReady([]string{"moved"})
	if s.writes(addresses[shardTwo], "s0") == 0 {
		s.t.Error("the shard that has the store now has not written to it")
	}
	s.t.Logf("the shard that had the store wrote %v times meanwhile", s.writes(addresses[""], "s0")-before)
	for file, commits := range s.commits("s0") {
		if commits != 1 {
			s.t.Errorf("%s of s0 was committed %d times", file, commits)
		}
	}
}

func (s *shards) storeOfNoShard(addresses map[string]string) {
	s.t.Helper()
	s.assign("s1", "nobody")
	for _, at := range addresses {
		s.eventually("the metric of a store that no shard selects", func() string {
			if selected := s.counted(at, `kratix_schedule_store_selected{store="GitStateStore s1"}`); selected != 0 {
				return fmt.Sprint("it is ", selected)
			}
			return ""
		})
	}
	s.object(work("waits", map[string]string{"store": "s1"}, "waits"))
	s.object(work("goes", map[string]string{"store": "s2"}, "goes"))
	s.areReady([]string{"goes"})
	for file := range s.commits("s1") {
		if strings.Contains(file, "waits") {
			s.t.Errorf("%s was written to a store that no shard selects", file)
		}
	}
	s.assign("s1", "")
	s.areReady([]string{"waits"})
}

func (s *shards) processWithoutSelectorWaits() {
	s.t.Helper()
	alone := address(s.t)
	s.schedule("--leader-elect", "--lease-duration", "3s", "--listen", alone)
	s.eventually("the process without a selector", func() string {
		if said, err := page(alone, "/readyz"); err != nil || !strings.Contains(said, "another replica leads") {
			return fmt.Sprintf("it says %q, %v", said, err)
		}
		return ""
	})
	const leases = 3
	time.Sleep(leases * 3 * time.Second)
	if said, err := page(alone, "/readyz"); err != nil || !strings.Contains(said, "another replica leads") {
		s.t.Errorf("it says %q, %v", said, err)
	}
}

func TestShardsPromote(t *testing.T) {
	p := newPromotion(t, kratixlike.Options{})
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.GitStateStoreKind,
		"metadata": map[string]any{"name": "other", "labels": map[string]string{kratix.ShardLabel: shardOne}},
		"spec": map[string]any{
			"url": p.server.URL + "/" + filepath.Base(p.repository), "branch": "other", "secretRef": map[string]any{"name": "git", "namespace": "default"},
		},
	})
	gittest.Commit(t, p.repository, "other", map[string]string{"README.md": "what other clusters read\n"})
	p.addDestination("a", "all", map[string]string{"name": "a"})
	p.addDestination("b", "all", map[string]string{"name": "b"}, "GitStateStore/other")
	at := map[string]string{"default": address(t), "other": address(t)}
	p.promote("--leader-elect", "--watch-label-selector", "!"+kratix.ShardLabel, "--listen", at["default"])
	p.promote("--leader-elect", "--watch-label-selector", kratix.ShardLabel+"="+shardOne, "--listen", at["other"])
	for _, name := range []string{"a", "b"} {
		p.object(work("on-"+name, map[string]string{"name": name}, "of-"+name))
		p.waitForPromotion("on-" + name)
	}
	for branch, want := range map[string]string{"main": "a/resources/default/redis/on-a/instance/5058f/of-a.yaml", "other": "b/resources/default/redis/on-b/instance/5058f/of-b.yaml"} {
		if files := p.filesOf(branch); !slices.Contains(files, want) || len(files) != 2 {
			t.Errorf("the branch %s has %v, want %s", branch, files, want)
		}
	}
	for shard, address := range at {
		for store := range at {
			if wrote := p.counted(address, `kratix_schedule_write_files_count{store="GitStateStore `+store+`"}`) > 0; wrote != (store == shard) {
				t.Errorf("the shard of %s has written to %s: %v", shard, store, wrote)
			}
		}
	}
	// The shard of the live store removes the finalizer of a Destination.
	p.kubectl("delete", "work/on-b", "destination/b", "--timeout=40s")
	if files := p.filesOf("other"); len(files) != 1 {
		t.Errorf("the branch other has %v", files)
	}
}
