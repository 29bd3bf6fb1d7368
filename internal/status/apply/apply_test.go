package apply_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/status/apply"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

type api struct {
	mu     sync.Mutex
	calls  []call
	answer func(call) (int, string)
	// running is the number of concurrent calls, and most is its maximum so far.
	running, most int
	wait          chan struct{}
}

type call struct {
	Method, Path, Body string
	header             http.Header
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	c := call{r.Method, r.URL.Path, string(body), r.Header}
	a.mu.Lock()
	a.calls = append(a.calls, c)
	a.running++
	a.most = max(a.most, a.running)
	wait := a.wait
	a.mu.Unlock()
	if wait != nil {
		<-wait
	}
	code, metadata := http.StatusOK, `{"resourceVersion":"8","uid":"uid-a"}`
	if a.answer != nil {
		code, metadata = a.answer(c)
	}
	a.mu.Lock()
	a.running--
	a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if code >= http.StatusBadRequest {
		reasons := map[int]metav1.StatusReason{
			http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusConflict: metav1.StatusReasonConflict, http.StatusForbidden: metav1.StatusReasonForbidden,
		}
		reason := reasons[code]
		if metadata == "exists" {
			reason = metav1.StatusReasonAlreadyExists
		}
		_ = json.NewEncoder(w).Encode(metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
			Code: int32(code), Reason: reason, Message: "refused by the test", //nolint:gosec // a status code
		})
		return
	}
	_, _ = fmt.Fprintf(w, `{"apiVersion":"meta.k8s.io/v1","kind":"PartialObjectMetadata","metadata":%s}`, metadata)
}

func startTime() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

func writer(t *testing.T, a *api) *apply.Writer {
	t.Helper()
	return writerAt(t, a, startTime)
}

func writerAt(t *testing.T, a *api, now func() time.Time) *apply.Writer {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	w, err := apply.New(&rest.Config{Host: server.URL, QPS: -1}, now, "pod-1")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func work() *kratix.Work {
	w := kratix.NewWork()
	w.Name, w.Namespace, w.UID, w.ResourceVersion = "a", "team", "uid-a", "7"
	return w
}

func destination() *kratix.Destination {
	d := testkit.Destination("worker-1")
	d.UID, d.ResourceVersion = "uid-d", "7"
	return d
}

func placement() *kratix.WorkPlacement {
	p := kratix.NewWorkPlacement(work(), &kratix.WorkloadGroup{ID: kratix.GroupID("."), Workloads: []kratix.Workload{{Filepath: "a.yaml", Content: "x"}}}, "worker-1")
	p.Finalizers = []string{kratix.PlacementFinalizer}
	return p
}

var ready = map[string]any{"status": map[string]any{"versionID": "c0ffee"}}

const (
	works      = "/apis/platform.kratix.io/v1alpha1/namespaces/team/works"
	placements = "/apis/platform.kratix.io/v1alpha1/namespaces/team/workplacements"
)

func TestEachStepIsOneCall(t *testing.T) {
	tests := map[string]struct {
		change  status.Change
		calls   []call
		written []apply.Written
		counted map[string]int
	}{
		"a change without a step is no call": {change: status.Change{Object: work()}, counted: map[string]int{}},
		"a status is patched, at the version it was planned for": {
			change:  status.Change{Object: work(), Steps: []status.Step{{Verb: status.PatchStatus, Patch: ready}}},
			calls:   []call{{Method: "PATCH", Path: works + "/a/status", Body: `{"metadata":{"resourceVersion":"7"},"status":{"versionID":"c0ffee"}}`}},
			written: []apply.Written{{Kind: "Work", Key: kratix.Key{Namespace: "team", Name: "a"}, Version: "8"}},
			counted: map[string]int{"patch status": 1},
		},
		"a cluster-scoped object": {
			change:  status.Change{Object: destination(), Steps: []status.Step{{Verb: status.Patch, Patch: map[string]any{"metadata": map[string]any{"finalizers": []string{"f"}}}}}},
			calls:   []call{{Method: "PATCH", Path: "/apis/platform.kratix.io/v1alpha1/destinations/worker-1", Body: `{"metadata":{"finalizers":["f"],"resourceVersion":"7"}}`}},
			written: []apply.Written{{Kind: "Destination", Key: kratix.Key{Name: "worker-1"}, Version: "8"}},
			counted: map[string]int{"patch": 1},
		},
		"a WorkPlacement is created with its finalizer, then its status follows at the version that it got": {
			change: status.Change{Object: placement(), Steps: []status.Step{{Verb: status.Create}, {Verb: status.PatchStatus, Patch: ready}}},
			calls: []call{
				{Method: "POST", Path: placements, Body: `{"kind":"WorkPlacement","apiVersion":"platform.kratix.io/v1alpha1","metadata":{"name":"a.worker-1-5058f","namespace":"team",` +
					`"labels":{"kratix.io/targetDestinationName":"worker-1","kratix.io/work":"a","kratix.io/workload-group-id":"5058f1af8388633f609cadb75a75dc9d"},` +
					`"finalizers":["finalizers.workplacement.kratix.io/repo-cleanup"]},"spec":{"targetDestinationName":"worker-1","workloads":[{"filepath":"a.yaml","content":"x"}],"id":"5058f1af8388633f609cadb75a75dc9d"}}`},
				{Method: "PATCH", Path: placements + "/a.worker-1-5058f/status", Body: `{"metadata":{"resourceVersion":"8"},"status":{"versionID":"c0ffee"}}`},
			},
			written: []apply.Written{{Kind: "WorkPlacement", Key: kratix.Key{Namespace: "team", Name: "a.worker-1-5058f"}, Version: "8"}},
			counted: map[string]int{"create": 1, "patch status": 1},
		},
		"an object is deleted only at the version it was read at": {
			change:  status.Change{Object: work(), Steps: []status.Step{{Verb: status.Delete}}},
			calls:   []call{{Method: "DELETE", Path: works + "/a", Body: `{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"uid-a","resourceVersion":"7"}}`}},
			written: []apply.Written{{Kind: "Work", Key: kratix.Key{Namespace: "team", Name: "a"}}},
			counted: map[string]int{"delete": 1},
		},
		"the finalizers of an unwanted object are removed before it is deleted": {
			change: status.Change{Object: work(), Steps: []status.Step{{Verb: status.Patch, Patch: map[string]any{"metadata": map[string]any{"finalizers": []string{}}}}, {Verb: status.Delete}}},
			calls: []call{
				{Method: "PATCH", Path: works + "/a", Body: `{"metadata":{"finalizers":[],"resourceVersion":"7"}}`},
				{Method: "DELETE", Path: works + "/a", Body: `{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"uid-a","resourceVersion":"8"}}`},
			},
			written: []apply.Written{{Kind: "Work", Key: kratix.Key{Namespace: "team", Name: "a"}}},
			counted: map[string]int{"patch": 1, "delete": 1},
		},
		"an object being deleted is gone with its last finalizer": {
			change:  status.Change{Object: deleted(), Steps: []status.Step{{Verb: status.Patch, Patch: map[string]any{"metadata": map[string]any{"finalizers": []string{}}}}}},
			calls:   []call{{Method: "PATCH", Path: works + "/a", Body: `{"metadata":{"finalizers":[],"resourceVersion":"7"}}`}},
			written: []apply.Written{{Kind: "Work", Key: kratix.Key{Namespace: "team", Name: "a"}}},
			counted: map[string]int{"patch": 1},
		},
		"an object being deleted stays while it has a foreign finalizer": {
			change:  status.Change{Object: deleted(), Steps: []status.Step{{Verb: status.Patch, Patch: map[string]any{"metadata": map[string]any{"finalizers": []string{"theirs"}}}}}},
			calls:   []call{{Method: "PATCH", Path: works + "/a", Body: `{"metadata":{"finalizers":["theirs"],"resourceVersion":"7"}}`}},
			written: []apply.Written{{Kind: "Work", Key: kratix.Key{Namespace: "team", Name: "a"}, Version: "8"}},
			counted: map[string]int{"patch": 1},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := &api{}
			got := writer(t, a).Apply(t.Context(), [][]status.Change{{test.change}})
			if got.Err != nil || got.Retry != 0 || len(got.Refused) > 0 {
				t.Fatalf("%+v", got)
			}
			if diff := cmp.Diff(test.calls, a.calls, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".header" }, cmp.Ignore())); diff != "" {
				t.Errorf("calls: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(test.written, got.Written); diff != "" {
				t.Errorf("written: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff(test.counted, got.Calls); diff != "" {
				t.Errorf("counted: -want +got:\n%s", diff)
			}
			for _, c := range a.calls {
				if accept := c.header.Get("Accept"); !strings.Contains(accept, "as=PartialObjectMetadata") {
					t.Errorf("%s %s asks for the whole object: %q", c.Method, c.Path, accept)
				}
			}
		})
	}
}

func deleted() *kratix.Work {
	w := work()
	w.DeletionTimestamp = &metav1.Time{Time: time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)}
	return w
}

func TestRefusedWrites(t *testing.T) {
	tests := map[string]struct {
		code     int
		metadata string
		// said is the finding as text. It may be empty.
		said string
	}{
		"a conflict, which the next read of the cluster resolves": {http.StatusConflict, "", ""},
		"an object that was deleted meanwhile":                    {http.StatusNotFound, "", ""},
		"an object that was created meanwhile":                    {http.StatusConflict, "exists", ""},
		"a forbidden write is reported, with the object":          {http.StatusForbidden, "", "Work team/a: patch status is refused: refused by the test"},
		"an invalid write is reported, with the object":           {http.StatusUnprocessableEntity, "", "Work team/a: patch status is refused: refused by the test"},
		"a failure of the API server is reported":                 {http.StatusInternalServerError, "", "Work team/a: patch status is refused: "},
		"an unreadable answer is reported, not ignored":           {http.StatusOK, "7", "Work team/a: patch status is refused: "},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := &api{answer: func(c call) (int, string) {
				if strings.HasSuffix(c.Path, "works/a/status") {
					return test.code, test.metadata
				}
				return http.StatusOK, `{"resourceVersion":"9","uid":"uid-d"}`
			}}
			steps := []status.Step{{Verb: status.PatchStatus, Patch: ready}, {Verb: status.Delete}}
			refused := status.Change{Object: work(), Steps: steps, Events: []status.Event{{Type: "Normal", Reason: "R", Message: "m"}}}
			other := status.Change{Object: destination(), Steps: steps[:1]}
			got := writer(t, a).Apply(t.Context(), [][]status.Change{{refused}, {other}})
			if got.Retry != time.Second || got.Err != nil {
				t.Errorf("retry after %s, error %v", got.Retry, got.Err)
			}
			if said := outcomeText(got); (test.said == "") != (len(said) == 0) || len(said) > 0 && !strings.HasPrefix(said[0], test.said) {
				t.Errorf("told %q, want %q", said, test.said)
			}
			if want := []apply.Written{{Kind: "Destination", Key: kratix.Key{Name: "worker-1"}, Version: "9"}}; !slices.Equal(got.Written, want) {
				t.Errorf("written %v: what comes after is to be written, what failed is not", got.Written)
			}
			for _, c := range a.calls {
				if c.Method == http.MethodDelete || strings.HasSuffix(c.Path, "/events") {
					t.Errorf("%s %s, though the step before it failed", c.Method, c.Path)
				}
			}
			if want := map[string]int{"patch status": 1}; !cmp.Equal(got.Calls, want) {
				t.Errorf("counted %v", got.Calls)
			}
		})
	}
}

func TestPossiblyCreatedObjectsAreReported(t *testing.T) {
	for name, test := range map[string]struct {
		code     int
		metadata string
		want     []string
	}{
		"created":                  {http.StatusCreated, `{"resourceVersion":"8","uid":"u"}`, []string{"8"}},
		"an answer without sense":  {http.StatusCreated, "7", []string{""}},
		"there already":            {http.StatusConflict, "exists", []string{""}},
		"a timeout behind the API": {http.StatusInternalServerError, "", []string{""}},
		"no answer from behind":    {http.StatusGatewayTimeout, "", []string{""}},
		"no answer at all":         {0, "", []string{""}},
		"forbidden":                {http.StatusForbidden, "", nil},
		"invalid for its kind":     {http.StatusUnprocessableEntity, "", nil},
		"too many requests":        {http.StatusTooManyRequests, "", nil},
		"no such namespace":        {http.StatusNotFound, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{answer: func(call) (int, string) {
				if test.code == 0 {
					panic(http.ErrAbortHandler) // the HTTP server closes the connection
				}
				return test.code, test.metadata
			}}
			steps := []status.Step{{Verb: status.Create}}
			got := writer(t, a).Apply(t.Context(), [][]status.Change{{{Object: placement(), Steps: steps}}})
			var versions []string
			for _, created := range got.Created {
				if kratix.KeyOf(created.Object) != (kratix.Key{Namespace: "team", Name: "a.worker-1-5058f"}) {
					t.Errorf("created %s", kratix.Describe(created.Object))
				}
				versions = append(versions, created.Version)
			}
			if !slices.Equal(versions, test.want) || len(versions) > 0 && (versions[0] != "") != (len(got.Written) > 0) {
				t.Errorf("created at %q, written %v, want %q", versions, got.Written, test.want)
			}
		})
	}
	t.Run("a failure after the create", func(t *testing.T) {
		a := &api{answer: func(c call) (int, string) {
			if c.Method == http.MethodPatch {
				return http.StatusInternalServerError, ""
			}
			return http.StatusCreated, `{"resourceVersion":"8","uid":"u"}`
		}}
		steps := []status.Step{{Verb: status.Create}, {Verb: status.PatchStatus, Patch: ready}}
		got := writer(t, a).Apply(t.Context(), [][]status.Change{{{Object: placement(), Steps: steps}}})
		if len(got.Created) != 1 || got.Created[0].Version != "8" {
			t.Errorf("created %+v", got.Created)
		}
	})
}

func outcomeText(o apply.Outcome) []string {
	var said []string
	for _, f := range o.Refused {
		said = append(said, f.Place.String()+": "+f.Message)
	}
	return said
}

func TestEvents(t *testing.T) {
	for name, test := range map[string]struct {
		object          kratix.Object
		namespace, uid  string
		kind, name, its string
	}{
		"about a namespaced object, in its namespace":             {work(), "team", "uid-a", "Work", "a", "team"},
		"about a cluster-scoped object, in the default namespace": {destination(), "default", "uid-d", "Destination", "worker-1", ""},
		"about a created object, with its UID":                    {placement(), "team", "made", "WorkPlacement", "a.worker-1-5058f", "team"},
		"about another object than the changed one":               {placement(), "default", "uid-d", "Destination", "worker-1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{answer: func(call) (int, string) {
				return http.StatusOK, fmt.Sprintf(`{"resourceVersion":"8","uid":%q}`, test.uid)
			}}
			verb := status.PatchStatus
			if test.uid == "made" {
				verb = status.Create
			}
			event := status.Event{Type: "Warning", Reason: "DuplicateResources", Message: "twice"}
			if test.kind != test.object.KindName() {
				event.About = destination()
			}
			got := writer(t, a).Apply(t.Context(), [][]status.Change{{{
				Object: test.object, Steps: []status.Step{{Verb: verb, Patch: ready}}, Events: []status.Event{event},
			}}})
			if got.Err != nil || got.Calls["event"] != 1 || len(a.calls) != 2 {
				t.Fatalf("%+v after %+v", got, a.calls)
			}
			var made struct {
				APIVersion, Kind              string
				Metadata                      struct{ GenerateName, Namespace string }
				InvolvedObject                struct{ APIVersion, Kind, Name, Namespace, UID string }
				Type, Reason, Message         string
				Count                         int
				FirstTimestamp, LastTimestamp string
				Source                        struct{ Component string }
				ReportingInstance             string
			}
			if err := json.Unmarshal([]byte(a.calls[1].Body), &made); err != nil {
				t.Fatal(err)
			}
			if want := "/api/v1/namespaces/" + test.namespace + "/events"; a.calls[1].Path != want || made.Metadata.Namespace != test.namespace || made.Metadata.GenerateName != test.name+"." {
				t.Errorf("made at %s as %+v, want %s", a.calls[1].Path, made.Metadata, want)
			}
			about := made.InvolvedObject
			if about.APIVersion != kratix.APIVersion || about.Kind != test.kind || about.Name != test.name || about.Namespace != test.its || about.UID != test.uid {
				t.Errorf("about %+v", about)
			}
			if made.Type != "Warning" || made.Reason != "DuplicateResources" || made.Message != "twice" || made.Count != 1 ||
				made.FirstTimestamp != "2026-01-31T12:00:00Z" || made.LastTimestamp != made.FirstTimestamp || made.Source.Component != "kratix-schedule" || made.ReportingInstance != "pod-1" {
				t.Errorf("says %+v", made)
			}
		})
	}
	t.Run("an Event that cannot be sent is an error, and the others are sent", func(t *testing.T) {
		var told int
		a := &api{answer: func(call) (int, string) {
			if told++; told == 1 {
				return http.StatusForbidden, ""
			}
			return http.StatusCreated, `{}`
		}}
		event := status.Event{Type: "Normal", Reason: "R", Message: "m"}
		got := writer(t, a).Apply(t.Context(), [][]status.Change{{{Object: work(), Events: []status.Event{event, event}}}})
		if got.Err == nil || !strings.Contains(got.Err.Error(), "event about Work team/a: ") || got.Calls["event"] != 1 || len(got.Written) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestChangesOfOneListAreConcurrentAndListsInOrder(t *testing.T) {
	a := &api{wait: make(chan struct{})}
	first := make([]status.Change, 100)
	for i := range first {
		w := work()
		w.Name, w.UID = fmt.Sprintf("a%d", i), types.UID(strconv.Itoa(i))
		first[i] = status.Change{Object: w, Steps: []status.Step{{Verb: status.PatchStatus, Patch: ready}}}
	}
	last := status.Change{Object: destination(), Steps: []status.Step{{Verb: status.PatchStatus, Patch: ready}}}
	done := make(chan apply.Outcome)
	w := writer(t, a)
	go func() { done <- w.Apply(t.Context(), [][]status.Change{first, {last}}) }()
	for late := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		a.mu.Lock()
		most := a.most
		a.mu.Unlock()
		if most > 1 {
			break
		}
		if time.Now().After(late) {
			t.Fatal("one after the other")
		}
	}
	close(a.wait)
	got := <-done
	if got.Err != nil || len(got.Refused) > 0 || len(got.Written) != len(first)+1 || got.Calls["patch status"] != len(first)+1 {
		t.Errorf("%d written, counted %v, error %v", len(got.Written), got.Calls, got.Err)
	}
	if final := a.calls[len(a.calls)-1]; !strings.HasSuffix(final.Path, "destinations/worker-1/status") {
		t.Errorf("the last call is %s", final.Path)
	}
}
