package promoted_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/promoted"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// held is another name for source.Snapshot, because an embedded field Snapshot would conflict with
// the method Snapshot of fixed.
type held = source.Snapshot

type fixed struct{ held }

func (f *fixed) Changes(context.Context) (<-chan struct{}, error)  { return nil, nil }
func (f *fixed) Snapshot(context.Context) (source.Snapshot, error) { return f.held, nil }

func gitStore(name, url, branch, path string) *kratix.GitStateStore {
	store := testkit.GitStore(name, url)
	store.Spec.Branch, store.Spec.Path = branch, path
	return store
}

func destinationOn(name, path, store, live string) *kratix.Destination {
	d := testkit.Destination(name, testkit.AtPath(path), testkit.OnStore(store))
	if live != "" {
		d.Annotations = map[string]string{scheduler.StateStoreAnnotation: live}
	}
	return d
}

func placed(work, destination string, configMaps ...string) *kratix.WorkPlacement {
	p := testkit.Placement(testkit.Request(work, testkit.WithPipeline("instance"), testkit.WithConfigMaps(configMaps...)), destination)
	p.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	return p
}

func snapshotOf(t *testing.T, s *promoted.Source) source.Snapshot {
	t.Helper()
	snapshot, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

func namesOf[O kratix.Object](objects []O) string {
	var names []string
	for _, o := range objects {
		names = append(names, o.GetName())
	}
	return strings.Join(names, " ")
}

func TestEachWorkPlacementIsAWork(t *testing.T) {
	original := kratix.NewWork()
	original.Namespace, original.Name, original.CreationTimestamp = "default", "a", metav1.NewTime(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	original.Spec.WorkloadGroups = []kratix.WorkloadGroup{{ID: kratix.GroupID("dir"), Directory: "dir"}}
	leaving, misnamed, unlabelled := placed("leaving", "d1"), placed("c", "d1"), placed("d", "d1")
	leaving.DeletionTimestamp = &metav1.Time{Time: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)}
	misnamed.Name = "c.by-hand"
	delete(unlabelled.Labels, kratix.WorkLabel)
	group := placed("a", "d2", "other")
	group.Spec.ID, group.Name = kratix.GroupID("dir"), kratix.PlacementName("a", "d2", kratix.GroupID("dir"))
	in := &fixed{source.Snapshot{
		Works:          []*kratix.Work{original},
		Destinations:   []*kratix.Destination{destinationOn("d1", "d1", "staging", "GitStateStore/live"), destinationOn("d2", "d2", "staging", "GitStateStore/live")},
		StateStores:    kratix.StateStores{GitStateStores: []*kratix.GitStateStore{gitStore("staging", "https://example.com/a.git", "staging", ""), gitStore("live", "https://example.com/a.git", "main", "")}},
		WorkPlacements: []*kratix.WorkPlacement{placed("a", "d2", "one"), placed("a", "d1", "two"), group, leaving, misnamed, unlabelled},
		Existing:       []*kratix.WorkPlacement{placed("a", "d1")}, FromAPI: true,
	}}
	s := promoted.New(in, nil)
	got := snapshotOf(t, s)
	if namesOf(got.Works) != "a a a" || len(got.Existing)+len(got.WorkPlacements) > 0 || !got.Assigned || !got.FromAPI {
		t.Errorf("Works %s, %d existing", namesOf(got.Works), len(got.Existing))
	}
	if namesOf(got.GitStateStores) != "live" || got.Destinations[0].Spec.StateStoreRef.Name != "live" || in.Destinations[0].Spec.StateStoreRef.Name != "staging" {
		t.Errorf("stores %s", namesOf(got.GitStateStores))
	}
	var rules []string
	for _, f := range got.Findings {
		rules = append(rules, f.Rule.ID+" "+f.Place.Object)
	}
	if want := []string{"KS076 WorkPlacement default/c.by-hand", "KS076 WorkPlacement default/d.d1-5058f"}; !slices.Equal(rules, want) {
		t.Errorf("findings %q, want %q", rules, want)
	}
	if len(got.Rejected) != 1 || got.Rejected[0].Name != "c" {
		t.Errorf("rejected %v", got.Rejected)
	}
	for i, want := range []string{"a.d1-5058f two.yaml", "a.d2-5058f one.yaml", "a.d2-73600 other.yaml"} {
		work := got.Works[i]
		if work.CreationTimestamp != original.CreationTimestamp || work.Pipeline() != "instance" || work.Owner() != "request default/a of Promise redis" {
			t.Errorf("%s is %+v", want, work.ObjectMeta)
		}
		in := scheduler.Input{Works: []*kratix.Work{work}, Destinations: []scheduler.Destination{{Destination: got.Destinations[0]}, {Destination: got.Destinations[1]}}}
		p := s.Plan(in).Placements()[0]
		if said := p.Name + " " + p.Spec.Workloads[0].Filepath; said != want {
			t.Errorf("it is planned as %s, want %s", said, want)
		}
	}
	if got.Works[2].Spec.WorkloadGroups[0].Directory != "dir" {
		t.Error("the group does not have the name that its Work gives it")
	}
}

func TestCommitsMaySayAboutPromotedWorksWhatTheirWorksSay(t *testing.T) {
	original := testkit.Request("a", testkit.WithPipeline("other"))
	original.Labels[kratix.PromiseNameLabel], original.Labels[kratix.DryRunLabel] = "redis", "true"
	original.Annotations = map[string]string{"example.com/requested-by": "alice", kratix.DecisionsAnnotation: "{}"}
	before := original.DeepCopy()
	in := &fixed{source.Snapshot{
		Works: []*kratix.Work{original}, WorkPlacements: []*kratix.WorkPlacement{placed("a", "d1", "one"), placed("gone", "d1", "one")},
		Destinations: []*kratix.Destination{destinationOn("d1", "d1", "staging", "GitStateStore/live")},
		StateStores:  kratix.StateStores{GitStateStores: []*kratix.GitStateStore{gitStore("staging", "https://example.com/a.git", "staging", ""), gitStore("live", "https://example.com/a.git", "main", "")}},
	}}
	works := snapshotOf(t, promoted.New(in, nil)).Works
	pipeline := map[string]string{kratix.PipelineNameLabel: "instance"}
	if got := works[1]; !maps.Equal(got.Labels, pipeline) || got.Annotations != nil {
		t.Errorf("without a Work: %v %v", got.Labels, got.Annotations)
	}
	pipeline[kratix.PromiseNameLabel] = "redis"
	if got := works[0]; !maps.Equal(got.Labels, pipeline) || !maps.Equal(got.Annotations, map[string]string{"example.com/requested-by": "alice"}) {
		t.Errorf("%v %v", got.Labels, got.Annotations)
	}
	if !maps.Equal(original.Labels, before.Labels) || !maps.Equal(original.Annotations, before.Annotations) {
		t.Errorf("the Work has changed: %v %v", original.Labels, original.Annotations)
	}
}

func TestEqualWorksKeepTheirAddress(t *testing.T) {
	in := &fixed{source.Snapshot{
		Destinations:   []*kratix.Destination{destinationOn("d1", "d1", "staging", "GitStateStore/live")},
		StateStores:    kratix.StateStores{GitStateStores: []*kratix.GitStateStore{gitStore("staging", "https://example.com/a.git", "staging", ""), gitStore("live", "https://example.com/a.git", "main", "")}},
		WorkPlacements: []*kratix.WorkPlacement{placed("a", "d1", "one"), placed("b", "d1", "two")},
	}}
	s := promoted.New(in, nil)
	before := snapshotOf(t, s)
	renewed, changed := in.WorkPlacements[0].DeepCopy(), placed("b", "d1", "three")
	renewed.Generation, renewed.Spec.Generation = 7, 7
	in.WorkPlacements = []*kratix.WorkPlacement{renewed, changed}
	after := snapshotOf(t, s)
	if before.Works[0] != after.Works[0] || before.Destinations[0] != after.Destinations[0] {
		t.Error("what has not changed is another object")
	}
	if before.Works[1] == after.Works[1] {
		t.Error("what has changed is the same object")
	}
	in.Destinations = []*kratix.Destination{in.Destinations[0].DeepCopy()}
	if again := snapshotOf(t, s); again.Destinations[0] == after.Destinations[0] {
		t.Error("a Destination that has changed is the same object")
	}
}

func TestLiveStores(t *testing.T) {
	const repository = "https://example.com/a.git"
	bucket := &kratix.BucketStateStore{}
	bucket.Name, bucket.Spec.BucketName, bucket.Spec.Endpoint, bucket.Spec.Path = "bucket", "b", "s3.example.com", "live"
	for name, c := range map[string]struct {
		destinations []*kratix.Destination
		live         promoted.Stores
		on           string
		want         []string
	}{
		"annotated":                        {[]*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/live")}, nil, "live", nil},
		"another kind":                     {[]*kratix.Destination{destinationOn("d", "d", "staging", "BucketStateStore/bucket")}, nil, "bucket", nil},
		"neither":                          {[]*kratix.Destination{destinationOn("d", "d", "staging", "")}, nil, "-", []string{"KS074", "has no annotation kratix-schedule.io/state-store, and --live-store has nothing for GitStateStore staging"}},
		"mapped":                           {[]*kratix.Destination{destinationOn("d", "d", "staging", "")}, promoted.Stores{{Kind: kratix.GitStateStoreKind, Name: "staging"}: {Kind: kratix.GitStateStoreKind, Name: "live"}}, "live", nil},
		"the annotation":                   {[]*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/live")}, promoted.Stores{{Kind: kratix.GitStateStoreKind, Name: "staging"}: {Kind: kratix.GitStateStoreKind, Name: "nested"}}, "live", nil},
		"no kind":                          {[]*kratix.Destination{destinationOn("d", "d", "staging", "live")}, nil, "-", []string{"KS075", `is "live", and a state store is named as GitStateStore/NAME, BucketStateStore/NAME, OCIStateStore/NAME`}},
		"an unknown kind":                  {[]*kratix.Destination{destinationOn("d", "d", "staging", "OCIStateStore/live")}, nil, "-", []string{"KS075"}},
		"one that is gone":                 {[]*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/other")}, nil, "-", []string{"KS075", "names GitStateStore other, which is not there"}},
		"Kratix's own":                     {[]*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/staging")}, nil, "-", []string{"KS075", `its directory "d" in GitStateStore staging is where Kratix writes Destination d, at "d"`}},
		"the same branch, spelt otherwise": {[]*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/alias")}, nil, "-", []string{"KS075"}},
		"another path of the branch":       {[]*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/nested")}, nil, "nested", nil},
		"a path around Kratix's":           {[]*kratix.Destination{destinationOn("d", ".", "staging", "GitStateStore/nested")}, nil, "-", []string{"KS075"}},
		"another Destination's path":       {[]*kratix.Destination{destinationOn("d", "d", "staging", "GitStateStore/nested"), destinationOn("e", "live/d", "staging", "GitStateStore/live")}, nil, "- live", []string{"KS075", "where Kratix writes Destination e"}},
	} {
		t.Run(name, func(t *testing.T) {
			in := &fixed{source.Snapshot{
				Destinations: c.destinations,
				StateStores: kratix.StateStores{
					BucketStateStores: []*kratix.BucketStateStore{bucket},
					GitStateStores: []*kratix.GitStateStore{
						gitStore("staging", repository, "staging", ""), gitStore("live", repository, "main", ""),
						gitStore("alias", "ssh://git@example.com/a", "staging", "/"), gitStore("nested", repository, "staging", "live"),
					},
				},
			}}
			s := promoted.New(in, c.live)
			got := snapshotOf(t, s)
			var on []string
			for _, d := range c.destinations {
				if ref, ok := s.Live()[d.Name]; ok {
					on = append(on, ref.Name)
				} else {
					on = append(on, "-")
				}
			}
			if strings.Join(on, " ") != c.on || len(got.Destinations)+len(got.Unwritten) != len(c.destinations) {
				t.Errorf("on %v, want %s; %d unwritten", on, c.on, len(got.Unwritten))
			}
			if len(got.Findings) != min(1, len(c.want)) {
				t.Fatalf("findings %v, want %v", got.Findings, c.want)
			}
			for i, want := range c.want {
				f := got.Findings[0]
				if said := []string{f.Rule.ID, f.Message}[min(1, i)]; !strings.Contains(said, want) || !strings.HasPrefix(f.Place.Object, "Destination d") {
					t.Errorf("it says %s: %s, want %q", f.Place.Object, said, want)
				}
			}
		})
	}
}

func TestUnusableWorkPlacementKeepsLiveFiles(t *testing.T) {
	for name, damage := range map[string]func(*kratix.WorkPlacement){
		"no label":      func(p *kratix.WorkPlacement) { delete(p.Labels, kratix.WorkLabel) },
		"another label": func(p *kratix.WorkPlacement) { p.Labels[kratix.WorkLabel] = "other" },
		"no spec":       func(p *kratix.WorkPlacement) { p.Spec = kratix.WorkPlacementSpec{} },
	} {
		for _, mode := range layout.Modes() {
			t.Run(name+"/"+mode, func(t *testing.T) {
				c := newCluster(t, mode)
				c.destination("d0", "live-1", "none")
				c.place("w1", "d0", "o1")
				c.place("w2", "d0", "o2")
				c.round()
				for key, p := range c.placements {
					if p.Work().Name == "w1" {
						damaged := p.DeepCopy()
						damage(damaged)
						c.placements[key] = damaged
					}
				}
				c.place("w2", "d0", "o3")
				for range 3 {
					c.round()
					c.expectConfigMaps("live-1", "o1", "o3")
				}
				c.remove(func(p *kratix.WorkPlacement) bool {
					return p.Name == kratix.PlacementName("w1", "d0", kratix.GroupID("."))
				})
				c.round()
				c.expectConfigMaps("live-1", "o3")
			})
		}
	}
}

func TestOnlyStoresThatArePromotedToAreOpened(t *testing.T) {
	stores := []kratix.Object{gitStore("live", "https://example.com/a.git", "live", ""), gitStore("old", "https://example.com/a.git", "old", ""), gitStore("staging", "https://example.com/a.git", "staging", "")}
	mapped := promoted.Stores{{Kind: kratix.GitStateStoreKind, Name: "staging"}: {Kind: kratix.GitStateStoreKind, Name: "live"}}
	incomplete := &kratix.Destination{}
	incomplete.Name = "incomplete"
	for name, c := range map[string]struct {
		destination *kratix.Destination
		live        promoted.Stores
		want        string
	}{
		"annotated":       {destinationOn("d", "d", "staging", "GitStateStore/live"), nil, "live old"},
		"mapped":          {destinationOn("d", "d", "staging", ""), mapped, "live old"},
		"not promoted":    {destinationOn("d", "d", "staging", ""), nil, "live old"},
		"no state store":  {incomplete, mapped, "live old staging"},
		"Kratix's itself": {destinationOn("d", "d", "staging", "GitStateStore/staging"), nil, "live old"},
	} {
		opened := promoted.Opened(c.live)(append([]kratix.Object{c.destination}, stores...))
		slices.SortFunc(opened, func(a, b kratix.Object) int { return strings.Compare(a.GetName(), b.GetName()) })
		if got := namesOf(opened); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestLiveStoreThatIsKratixsStoreInAnotherSpellingIsInvalid(t *testing.T) {
	bucketStore := func(name, endpoint, bucket string) kratix.Object {
		store := &kratix.BucketStateStore{}
		store.Name, store.Spec.Endpoint, store.Spec.BucketName = name, endpoint, bucket
		return store
	}
	repository := func(name, url, branch string) kratix.Object { return gitStore(name, url, branch, "") }
	for name, c := range map[string]struct {
		kratixs, live kratix.Object
		isOne         bool
	}{
		"case of a repository":       {repository("staging", "https://github.com/Team/State.git", "main"), repository("live", "ssh://git@github.com/team/state", "main"), true},
		"another repository":         {repository("staging", "https://github.com/team/state", "main"), repository("live", "https://github.com/team/live", "main"), false},
		"case of a branch":           {repository("staging", "https://github.com/team/state", "main"), repository("live", "https://github.com/team/state", "Main"), false},
		"an endpoint of a region":    {bucketStore("staging", "s3.amazonaws.com", "b"), bucketStore("live", "s3.eu-west-1.amazonaws.com", "b"), true},
		"an old endpoint":            {bucketStore("staging", "s3-eu-west-1.amazonaws.com:443", "b"), bucketStore("live", "S3.dualstack.eu-west-1.amazonaws.com.", "b"), true},
		"another bucket":             {bucketStore("staging", "s3.amazonaws.com", "b"), bucketStore("live", "s3.eu-west-1.amazonaws.com", "c"), false},
		"China":                      {bucketStore("staging", "s3.amazonaws.com", "b"), bucketStore("live", "s3.cn-north-1.amazonaws.com.cn", "b"), false},
		"regions of China":           {bucketStore("staging", "s3.cn-north-1.amazonaws.com.cn", "b"), bucketStore("live", "s3.dualstack.cn-north-1.amazonaws.com.cn", "b"), true},
		"another service":            {bucketStore("staging", "s3.amazonaws.com", "b"), bucketStore("live", "minio.example.amazonaws.com", "b"), false},
		"another port":               {bucketStore("staging", "s3.example.com:9000", "b"), bucketStore("live", "s3.example.com", "b"), false},
		"a host with a dot":          {bucketStore("staging", "s3.example.com.", "b"), bucketStore("live", "s3.example.com", "b"), true},
		"a bucket beside repository": {repository("staging", "https://s3.example.com/b", "main"), bucketStore("live", "s3.example.com", "b"), false},
	} {
		t.Run(name, func(t *testing.T) {
			d := destinationOn("d", "d", "staging", c.live.KindName()+"/live")
			d.Spec.StateStoreRef.Kind = c.kratixs.KindName()
			snapshot := snapshotOf(t, promoted.New(&fixed{source.Gather([]kratix.Object{d, c.kratixs, c.live})}, nil))
			if isOne := len(snapshot.Findings) == 1 && snapshot.Findings[0].Rule.ID == "KS075"; isOne != c.isOne {
				t.Errorf("it is Kratix's: %v, want %v; %v", isOne, c.isOne, snapshot.Findings)
			}
		})
	}
}
