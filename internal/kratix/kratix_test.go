package kratix_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func named(name string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name} }

func TestCheck(t *testing.T) {
	work := func(groups ...kratix.WorkloadGroup) *kratix.Work {
		return &kratix.Work{ObjectMeta: named("w"), Spec: kratix.WorkSpec{PromiseName: "p", WorkloadGroups: groups}}
	}
	destination := func(ref *kratix.StateStoreReference) *kratix.Destination {
		return &kratix.Destination{ObjectMeta: named("d"), Spec: kratix.DestinationSpec{StateStoreRef: ref}}
	}
	bucket := func(name, endpoint string) *kratix.BucketStateStore {
		return &kratix.BucketStateStore{ObjectMeta: named("b"), Spec: kratix.BucketStateStoreSpec{BucketName: name, Endpoint: endpoint}}
	}
	const noRef = "spec.stateStoreRef is missing: name the state store to write to"
	const noBucket = "spec.bucketName and spec.endpoint must be set"
	tests := map[string]struct {
		object kratix.Object
		want   string
	}{
		"a Work":                              {work(kratix.WorkloadGroup{ID: "aaaaa1"}, kratix.WorkloadGroup{ID: "aaaab1"}), ""},
		"a Work without groups":               {work(), ""},
		"a Work without a name":               {&kratix.Work{}, "metadata.name is missing"},
		"a Work without a Promise":            {&kratix.Work{ObjectMeta: named("w")}, "spec.promiseName is missing"},
		"a group without an id":               {work(kratix.WorkloadGroup{ID: "a"}, kratix.WorkloadGroup{}), "a workload group has no id"},
		"two groups of one id":                {work(kratix.WorkloadGroup{ID: "abcde1"}, kratix.WorkloadGroup{ID: "abcde1"}), "two workload groups have an id that starts with abcde; they would share a path"},
		"two groups whose paths are one":      {work(kratix.WorkloadGroup{ID: "abcde1"}, kratix.WorkloadGroup{ID: "abcde2"}), "two workload groups have an id that starts with abcde; they would share a path"},
		"a Destination":                       {destination(&kratix.StateStoreReference{Kind: "GitStateStore", Name: "g"}), ""},
		"a Destination without a name":        {&kratix.Destination{}, "metadata.name is missing"},
		"a Destination without a store":       {destination(nil), noRef},
		"a Destination whose store is unsaid": {destination(&kratix.StateStoreReference{Kind: "GitStateStore"}), noRef},
		"a GitStateStore":                     {&kratix.GitStateStore{ObjectMeta: named("g"), Spec: kratix.GitStateStoreSpec{URL: "u"}}, ""},
		"a GitStateStore without a URL":       {&kratix.GitStateStore{ObjectMeta: named("g")}, "spec.url is missing"},
		"a GitStateStore without a name":      {&kratix.GitStateStore{Spec: kratix.GitStateStoreSpec{URL: "u"}}, "metadata.name is missing"},
		"a BucketStateStore":                  {bucket("b", "e"), ""},
		"a BucketStateStore without a bucket": {bucket("", "e"), noBucket},
		"a BucketStateStore without a host":   {bucket("b", ""), noBucket},
		"a Secret":                            {&kratix.Secret{ObjectMeta: named("s")}, ""},
		"a Secret without a name":             {&kratix.Secret{}, "metadata.name is missing"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got string
			if err := kratix.Check(test.object); err != nil {
				got = err.Error()
			}
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestGroupID(t *testing.T) {
	for directory, want := range map[string]string{
		".":       "5058f1af8388633f609cadb75a75dc9d",
		"":        "d41d8cd98f00b204e9800998ecf8427e",
		"workers": "a06be211ee1b949b0dc8cef92a4373a9",
	} {
		if got := kratix.GroupID(directory); got != want {
			t.Errorf("GroupID(%q) is %s, want %s", directory, got, want)
		}
	}
	for id, want := range map[string]string{"5058f1af8388633f609cadb75a75dc9d": "5058f", "abcde": "abcde", "abc": "abc", "": ""} {
		if got := kratix.ShortID(id); got != want {
			t.Errorf("ShortID(%q) is %q, want %q", id, got, want)
		}
	}
}

func TestNewWorkPlacement(t *testing.T) {
	group := kratix.WorkloadGroup{
		ID: kratix.GroupID("."), Directory: ".",
		Workloads: []kratix.Workload{{Filepath: "a.yaml", Content: "x"}},
	}
	tests := map[string]struct {
		work       *kratix.Work
		want       *kratix.WorkPlacement
		dependency bool
	}{
		"of a request": {
			work: &kratix.Work{
				ObjectMeta: metav1.ObjectMeta{
					Name: "redis-one-1a2b3", Namespace: "team", Generation: 4,
					Labels: map[string]string{kratix.PipelineNameLabel: "install", kratix.PromiseNameLabel: "redis"},
				},
				Spec: kratix.WorkSpec{PromiseName: "redis", ResourceName: "one"},
			},
			want: &kratix.WorkPlacement{
				TypeMeta: metav1.TypeMeta{APIVersion: "platform.kratix.io/v1alpha1", Kind: "WorkPlacement"},
				ObjectMeta: metav1.ObjectMeta{
					Name: "redis-one-1a2b3.worker-1-5058f", Namespace: "team",
					Labels: map[string]string{
						"kratix.io/work":                  "redis-one-1a2b3",
						"kratix.io/workload-group-id":     "5058f1af8388633f609cadb75a75dc9d",
						"kratix.io/targetDestinationName": "worker-1",
						"kratix.io/pipeline-name":         "install",
					},
				},
				Spec: kratix.WorkPlacementSpec{
					TargetDestinationName: "worker-1", Workloads: group.Workloads, PromiseName: "redis",
					ResourceName: "one", ID: "5058f1af8388633f609cadb75a75dc9d", Generation: 4,
				},
			},
		},
		"of a Promise, without a pipeline": {
			work: &kratix.Work{
				ObjectMeta: metav1.ObjectMeta{Name: "redis-static", Namespace: "kratix-platform-system"},
				Spec:       kratix.WorkSpec{PromiseName: "redis"},
			},
			dependency: true,
			want: &kratix.WorkPlacement{
				TypeMeta: metav1.TypeMeta{APIVersion: "platform.kratix.io/v1alpha1", Kind: "WorkPlacement"},
				ObjectMeta: metav1.ObjectMeta{
					Name: "redis-static.worker-1-5058f", Namespace: "kratix-platform-system",
					Labels: map[string]string{
						"kratix.io/work":                  "redis-static",
						"kratix.io/workload-group-id":     "5058f1af8388633f609cadb75a75dc9d",
						"kratix.io/targetDestinationName": "worker-1",
					},
				},
				Spec: kratix.WorkPlacementSpec{
					TargetDestinationName: "worker-1", Workloads: group.Workloads, PromiseName: "redis",
					ID: "5058f1af8388633f609cadb75a75dc9d",
				},
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := kratix.NewWorkPlacement(test.work, &group, "worker-1")
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if got.Work() != kratix.KeyOf(test.work) || got.Pipeline() != test.work.Pipeline() {
				t.Errorf("it says it is of %s, pipeline %q", got.Work(), got.Pipeline())
			}
			if got.IsDependency() != test.dependency || test.work.IsDependency() != test.dependency {
				t.Error("the placement and its Work must agree on whether it is a dependency")
			}
		})
	}
}

func TestDescriptions(t *testing.T) {
	request := &kratix.Work{ObjectMeta: metav1.ObjectMeta{Name: "w", Namespace: "team"}, Spec: kratix.WorkSpec{PromiseName: "redis", ResourceName: "one"}}
	dependency := &kratix.Work{ObjectMeta: named("w"), Spec: kratix.WorkSpec{PromiseName: "redis"}}
	for got, want := range map[string]string{
		request.Owner():                "request team/one of Promise redis",
		dependency.Owner():             "Promise redis",
		kratix.Describe(request):       "Work team/w",
		kratix.Key{Name: "a"}.String(): "a",
		kratix.StateStoreReference{Kind: "GitStateStore", Name: "default"}.String(): "GitStateStore default",
		kratix.SecretReference{Name: "s"}.Key().String():                            "default/s",
		kratix.SecretReference{Name: "s", Namespace: "n"}.Key().String():            "n/s",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestDestinationDefaults(t *testing.T) {
	yes, no := true, false
	plain := &kratix.Destination{}
	if plain.FilepathMode() != kratix.NestedByMetadata || !plain.WantsCanaries() || plain.IsDryRun() {
		t.Errorf("an empty Destination has mode %q, canaries %t, dry run %t", plain.FilepathMode(), plain.WantsCanaries(), plain.IsDryRun())
	}
	set := &kratix.Destination{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"kratix.io/dry-run": "true"}},
		Spec:       kratix.DestinationSpec{Filepath: kratix.Filepath{Mode: "none"}, InitWorkloads: kratix.InitWorkloads{Enabled: &no}},
	}
	if set.FilepathMode() != kratix.None || set.WantsCanaries() || !set.IsDryRun() {
		t.Errorf("got mode %q, canaries %t, dry run %t", set.FilepathMode(), set.WantsCanaries(), set.IsDryRun())
	}
	set.Spec.InitWorkloads.Enabled = &yes
	set.Labels["kratix.io/dry-run"] = "false"
	if !set.WantsCanaries() || set.IsDryRun() {
		t.Errorf("got canaries %t, dry run %t", set.WantsCanaries(), set.IsDryRun())
	}
}

func TestWorkAsYAML(t *testing.T) {
	work := kratix.NewWork()
	work.Name, work.Namespace = "w", "team"
	work.Spec = kratix.WorkSpec{
		PromiseName: "redis", ResourceName: "one",
		WorkloadGroups: []kratix.WorkloadGroup{{
			ID: "5058f", Directory: ".", Workloads: []kratix.Workload{{Filepath: "a.yaml", Content: "x"}},
			DestinationSelectors: []kratix.Selector{{MatchLabels: map[string]string{"a": "b"}, Source: kratix.PromiseSource}},
		}},
	}
	const want = `apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata:
  name: w
  namespace: team
spec:
  promiseName: redis
  resourceName: one
  workloadGroups:
  - destinationSelectors:
    - matchLabels:
        a: b
      source: promise
    directory: .
    id: 5058f
    workloads:
    - content: x
      filepath: a.yaml
`
	got, err := yaml.Marshal(work)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	parsed, err := kratix.Parse(got, 1)
	if err != nil || len(parsed) != 1 || len(parsed[0].Unknown) > 0 {
		t.Fatalf("got %+v, %v", parsed, err)
	}
	if diff := cmp.Diff(kratix.Object(work), parsed[0].Object); diff != "" {
		t.Errorf("it does not come back: -want +got:\n%s", diff)
	}
}

func TestKeysAreOrderedByNamespaceThenName(t *testing.T) {
	for _, pair := range [][2]kratix.Key{
		{{Name: "z"}, {Namespace: "a", Name: "a"}},
		{{Namespace: "a", Name: "z"}, {Namespace: "b", Name: "a"}},
		{{Namespace: "a", Name: "a"}, {Namespace: "a", Name: "b"}},
	} {
		if pair[0].Compare(pair[1]) >= 0 || pair[1].Compare(pair[0]) <= 0 || pair[0].Compare(pair[0]) != 0 {
			t.Errorf("%s is not before %s", pair[0], pair[1])
		}
	}
}
