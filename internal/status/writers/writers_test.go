package writers

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

type served map[string][]metav1.APIResource

func (s served) ServerResourcesForGroupVersionWithContext(_ context.Context, groupVersion string) (*metav1.APIResourceList, error) {
	if there, ok := s[groupVersion]; ok {
		return &metav1.APIResourceList{GroupVersion: groupVersion, APIResources: there}, nil
	}
	return nil, apierrors.NewNotFound(schema.GroupResource{}, groupVersion)
}

func newWriters(objects ...runtime.Object) (*Writers, *fake.FakeDynamicClient) {
	cluster := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{
		{Group: group, Version: version, Resource: "works"}:        "WorkList",
		{Group: "example.com", Version: "v1", Resource: "redises"}: "redisList",
	}, objects...)
	return &Writers{
		objects: cluster, now: func() time.Time { return time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC) },
		kinds: served{"example.com/v1": {
			{Name: "redises", Kind: "redis", Namespaced: true}, {Name: "redises/status", Kind: "redis", Namespaced: true},
			{Name: "bares", Kind: "bare", Namespaced: true},
		}},
		backoff: wait.Backoff{Steps: 4, Duration: time.Millisecond},
	}, cluster
}

func redis(status m) *unstructured.Unstructured {
	made := m{"apiVersion": "example.com/v1", "kind": "redis", "metadata": m{"name": "cache", "namespace": "team-a", "uid": "one"}}
	if status != nil {
		made["status"] = status
	}
	return &unstructured.Unstructured{Object: made}
}

func request(kind, uid string) kratix.Header {
	header := kratix.Header{APIVersion: "example.com/v1", Kind: kind}
	header.Metadata.Name, header.Metadata.Namespace, header.Metadata.UID = "cache", "team-a", uid
	return header
}

func writingCalls(cluster *fake.FakeDynamicClient) []string {
	var made []string
	for _, action := range cluster.Actions() {
		if verb := action.GetVerb(); verb != "get" && verb != "list" {
			made = append(made, strings.TrimSuffix(verb+" "+action.GetSubresource(), " "))
		}
	}
	return made
}

func failFirstCalls(cluster *fake.FakeDynamicClient, verb string, times int, err error) {
	cluster.PrependReactor(verb, "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		times--
		return times >= 0, nil, err
	})
}

func conflict() error {
	return apierrors.NewConflict(schema.GroupResource{Resource: "things"}, "it", errors.New("it is another by now"))
}

func TestStatusIsMergedOnce(t *testing.T) {
	w, cluster := newWriters(redis(m{"message": "Pending", "kratix": m{"workflows": int64(1)}}))
	done := PipelineCompleted()
	said := m{"connection": m{"host": "example.com"}}
	outcome, err := w.Status(t.Context(), request("redis", "one"), said, &done)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Result{Changed: []string{"conditions", "connection", "message"}, Lost: []string{}}, outcome); diff != "" {
		t.Error(diff)
	}
	there, err := w.objects.Resource(schema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "redises"}).Namespace("team-a").Get(t.Context(), "cache", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := m{
		"message": "Resource requested", "kratix": m{"workflows": int64(1)}, "connection": m{"host": "example.com"},
		"conditions": l{m{"type": "PipelineCompleted", "status": "True", "reason": "PipelineExecutedSuccessfully", "message": "Pipeline completed", "lastTransitionTime": "2026-11-21T10:00:00Z"}},
	}
	if diff := cmp.Diff(want, there.Object["status"]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	w.now = func() time.Time { return time.Now() }
	if outcome, err := w.Status(t.Context(), request("redis", ""), said, &done); err != nil || len(outcome.Changed) > 0 {
		t.Errorf("the second time: %v, %v", outcome, err)
	}
	if diff := cmp.Diff([]string{"update status"}, writingCalls(cluster)); diff != "" {
		t.Error(diff)
	}
}

func TestStatusThatIsNotComplete(t *testing.T) {
	w, _ := newWriters(redis(m{"message": "Pending"}))
	if outcome, err := w.Status(t.Context(), request("redis", ""), m{"a": "b"}, nil); err != nil || !cmp.Equal(outcome.Changed, []string{"a"}) {
		t.Errorf("%v, %v", outcome, err)
	}
}

func TestStatusIsWrittenAfterAConflict(t *testing.T) {
	w, cluster := newWriters(redis(nil))
	failFirstCalls(cluster, "update", 3, conflict())
	if outcome, err := w.Status(t.Context(), request("redis", ""), m{"a": "b"}, nil); err != nil || len(outcome.Changed) != 1 {
		t.Errorf("%v, %v", outcome, err)
	}
	failFirstCalls(cluster, "update", 4, conflict())
	if _, err := w.Status(t.Context(), request("redis", ""), m{"a": "c"}, nil); !apierrors.IsConflict(err) {
		t.Errorf("in the end: %v", err)
	}
}

func TestStatusReportsDroppedFields(t *testing.T) {
	w, cluster := newWriters(redis(nil))
	cluster.PrependReactor("update", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, redis(m{"message": "up"}), nil
	})
	outcome, err := w.Status(t.Context(), request("redis", ""), m{"message": "up", "other": "x"}, nil)
	if err != nil || !cmp.Equal(outcome.Lost, []string{"other"}) {
		t.Errorf("%v, %v", outcome, err)
	}
}

func TestStatusOfMissingRequest(t *testing.T) {
	for name, test := range map[string]struct {
		request kratix.Header
		want    string
	}{
		"gone":       {func() kratix.Header { r := request("redis", ""); r.Metadata.Name = "other"; return r }(), "redis team-a/other: it is not in the cluster: it was deleted, or"},
		"another":    {request("redis", "two"), "it is not in the cluster: there is another of the same name, with the uid one, and the pipeline ran for two"},
		"no kind":    {request("kafka", ""), "kafka team-a/cache: the cluster serves no kind kafka in example.com/v1"},
		"no group":   {kratix.Header{APIVersion: "else.com/v1", Kind: "redis"}, "serves no kind redis in else.com/v1"},
		"no version": {kratix.Header{APIVersion: "a/b/c", Kind: "redis"}, "unexpected GroupVersion string: a/b/c"},
		"no status":  {request("bare", ""), "bare team-a/cache: its CustomResourceDefinition has no status subresource"},
	} {
		w, cluster := newWriters(redis(nil))
		_, err := w.Status(t.Context(), test.request, m{"a": "b"}, nil)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
		if made := writingCalls(cluster); len(made) > 0 {
			t.Errorf("%s: it writes %v", name, made)
		}
	}
}

func work() *kratix.Work {
	made := testkit.Request("redis-cache-team-a-instance-92693", testkit.InNamespace("team-a"), testkit.WithFile("a.yaml", "a"))
	made.Spec.ResourceName = "cache"
	made.Labels = map[string]string{
		kratix.PromiseNameLabel: "redis", kratix.WorkTypeLabel: kratix.ResourceWorkType, kratix.ResourceNameLabel: "cache",
		kratix.ResourceNamespaceLabel: "team-a", kratix.PipelineNameLabel: "instance",
	}
	return made
}

func createdByKratix(t *testing.T, wanted *kratix.Work, change func(*unstructured.Unstructured)) *unstructured.Unstructured {
	t.Helper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(wanted)
	if err != nil {
		t.Fatal(err)
	}
	made := (&unstructured.Unstructured{Object: content}).DeepCopy()
	made.SetName("redis-cache-instance-abcde")
	change(made)
	return made
}

func TestWorkIsCreatedOnce(t *testing.T) {
	w, cluster := newWriters()
	for _, want := range []Outcome{Created, Unchanged} {
		outcome, key, err := w.Work(t.Context(), work())
		if err != nil || outcome != want || key.String() != "team-a/redis-cache-team-a-instance-92693" {
			t.Errorf("%s %s, %v; want %s", outcome, key, err, want)
		}
	}
	if diff := cmp.Diff([]string{"create"}, writingCalls(cluster)); diff != "" {
		t.Error(diff)
	}
}

func TestWorkOfKratixIsUpdated(t *testing.T) {
	there := createdByKratix(t, work(), func(u *unstructured.Unstructured) {
		u.SetLabels(map[string]string{
			kratix.PromiseNameLabel: "redis", kratix.WorkTypeLabel: "resource", kratix.ResourceNameLabel: "cache", kratix.PipelineNameLabel: "instance", "own": "label",
		})
		u.SetFinalizers([]string{kratix.WorkFinalizer})
		u.SetAnnotations(map[string]string{"own": "annotation", "by": "alice", "ticket": "OPS-1"})
	})
	w, cluster := newWriters(there)
	wanted := work()
	wanted.Annotations = map[string]string{"by": "bob", "ticket": ""}
	wanted.Spec.WorkloadGroups[0].Workloads[0].Content = kratix.Encode([]byte("b"))
	for _, want := range []Outcome{Updated, Unchanged} {
		outcome, key, err := w.Work(t.Context(), wanted)
		if err != nil || outcome != want || key.Name != "redis-cache-instance-abcde" {
			t.Errorf("%s %s, %v; want %s", outcome, key, err, want)
		}
	}
	if diff := cmp.Diff([]string{"update"}, writingCalls(cluster)); diff != "" {
		t.Error(diff)
	}
	now, err := w.objects.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: "works"}).Namespace("team-a").Get(t.Context(), "redis-cache-instance-abcde", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if now.GetLabels()["own"] != "label" || now.GetLabels()[kratix.ResourceNamespaceLabel] != "team-a" || len(now.GetFinalizers()) != 1 {
		t.Errorf("metadata %v", now.Object["metadata"])
	}
	if diff := cmp.Diff(map[string]string{"own": "annotation", "by": "bob", "ticket": ""}, now.GetAnnotations()); diff != "" {
		t.Error(diff)
	}
	if at, _, _ := unstructured.NestedString(now.Object, "spec", "lastExecutionTimestamp"); at != "2026-11-21T10:00:00Z" {
		t.Errorf("executed %q", at)
	}
}

func TestWorkIsUpdatedForAnAnnotation(t *testing.T) {
	w, cluster := newWriters(createdByKratix(t, work(), func(*unstructured.Unstructured) {}))
	wanted := work()
	wanted.Annotations = map[string]string{"by": "bob"}
	for _, want := range []Outcome{Updated, Unchanged} {
		if outcome, _, err := w.Work(t.Context(), wanted); err != nil || outcome != want {
			t.Errorf("%s, %v; want %s", outcome, err, want)
		}
	}
	if diff := cmp.Diff([]string{"update"}, writingCalls(cluster)); diff != "" {
		t.Error(diff)
	}
}

func TestWorksOfOthersStay(t *testing.T) {
	set := func(label, value string) func(*unstructured.Unstructured) {
		return func(u *unstructured.Unstructured) {
			labels := u.GetLabels()
			labels[label] = value
			u.SetLabels(labels)
		}
	}
	for name, change := range map[string]func(*unstructured.Unstructured){
		"request":   set(kratix.ResourceNameLabel, "other"),
		"pipeline":  set(kratix.PipelineNameLabel, "other"),
		"promise":   set(kratix.PromiseNameLabel, "other"),
		"type":      set(kratix.WorkTypeLabel, kratix.PromiseWorkType),
		"namespace": set(kratix.ResourceNamespaceLabel, "other"),
		"dry run":   set(kratix.DryRunLabel, "true"),
		"where":     func(u *unstructured.Unstructured) { u.SetNamespace("team-b") },
	} {
		w, cluster := newWriters(createdByKratix(t, work(), change))
		if outcome, _, err := w.Work(t.Context(), work()); err != nil || outcome != Created {
			t.Errorf("another %s: %s, %v", name, outcome, err)
		}
		if diff := cmp.Diff([]string{"create"}, writingCalls(cluster)); diff != "" {
			t.Errorf("another %s: %s", name, diff)
		}
	}
}

func TestWorkIsWrittenAfterAConflict(t *testing.T) {
	changed := work()
	changed.Spec.PromiseName = "changed"
	for name, test := range map[string]struct {
		verb  string
		err   error
		there []runtime.Object
		want  Outcome
	}{
		"another was created": {"create", apierrors.NewAlreadyExists(schema.GroupResource{}, "it"), nil, Created},
		"it was changed":      {"update", conflict(), []runtime.Object{createdByKratix(t, changed, func(*unstructured.Unstructured) {})}, Updated},
		"it went":             {"update", apierrors.NewNotFound(schema.GroupResource{}, "it"), []runtime.Object{createdByKratix(t, changed, func(*unstructured.Unstructured) {})}, Updated},
	} {
		w, cluster := newWriters(test.there...)
		failFirstCalls(cluster, test.verb, 3, test.err)
		if outcome, _, err := w.Work(t.Context(), work()); err != nil || outcome != test.want {
			t.Errorf("%s: %s, %v", name, outcome, err)
		}
		if made := writingCalls(cluster); len(made) != 4 {
			t.Errorf("%s: %v", name, made)
		}
	}
}

func TestWorkThatCannotBeWritten(t *testing.T) {
	deleted := createdByKratix(t, work(), func(u *unstructured.Unstructured) {
		now := metav1.Now()
		u.SetDeletionTimestamp(&now)
		u.SetFinalizers([]string{"a/b"})
	})
	other := createdByKratix(t, work(), func(u *unstructured.Unstructured) { u.SetName("redis-cache-instance-vwxyz") })
	twice := []runtime.Object{createdByKratix(t, work(), func(*unstructured.Unstructured) {}), other}
	for name, test := range map[string]struct {
		there []runtime.Object
		verb  string
		err   error
		want  string
	}{
		"deleted":    {[]runtime.Object{deleted}, "", nil, "the Work redis-cache-instance-abcde of an earlier run is being deleted"},
		"two":        {twice, "", nil, "the Works redis-cache-instance-abcde, redis-cache-instance-vwxyz are all of this pipeline"},
		"no Works":   {nil, "list", apierrors.NewNotFound(schema.GroupResource{}, "works"), "the cluster does not know Works: install Kratix, or apply deploy/crds"},
		"forbidden":  {nil, "list", apierrors.NewForbidden(schema.GroupResource{Resource: "works"}, "", errors.New("no")), "write Work team-a/redis-cache-team-a-instance-92693: works is forbidden"},
		"not strict": {nil, "create", apierrors.NewBadRequest(`strict decoding error: unknown field "spec.x"`), `unknown field "spec.x"`},
	} {
		w, cluster := newWriters(test.there...)
		if test.verb != "" {
			failFirstCalls(cluster, test.verb, 1, test.err)
		}
		_, _, err := w.Work(t.Context(), work())
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
