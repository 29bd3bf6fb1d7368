package kube_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

type api struct {
	t      testing.TB
	server *httptest.Server

	mu      sync.Mutex
	objects map[string]map[string]map[string]any
	version int
	// history has all events. A watch from a resource version before forgotten is rejected.
	history   []event
	forgotten int
	// changed is closed at the next event, and when all watches must end.
	changed chan struct{}
	dropped int
	down    bool
	// refused maps "verb resource" to the status code with which such a request fails.
	refused map[string]int
	// silent has each "verb resource" whose requests get no response.
	silent map[string]bool
	// held are the resources whose watches send no new events.
	held  map[string]bool
	asked []string
	// open counts the running watches by request. listed counts the lists by resource.
	open, listed map[string]int
}

type event struct {
	version  int
	resource string
	kind     string
	object   map[string]any
}

func newAPI(t testing.TB) *api {
	a := &api{
		t: t, objects: map[string]map[string]map[string]any{}, changed: make(chan struct{}),
		refused: map[string]int{}, silent: map[string]bool{}, held: map[string]bool{}, open: map[string]int{}, listed: map[string]int{},
	}
	a.server = httptest.NewServer(a)
	t.Cleanup(func() {
		a.endWatches()
		a.server.CloseClientConnections()
		a.server.Close()
	})
	return a
}

func (a *api) config() *rest.Config { return &rest.Config{Host: a.server.URL, QPS: -1} }

func (a *api) put(resource, text string) (version string) {
	a.t.Helper()
	object := map[string]any{}
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		a.t.Fatalf("%v in %s", err, text)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	metadata, _ := object["metadata"].(map[string]any)
	if a.objects[resource] == nil {
		a.objects[resource] = map[string]map[string]any{}
	}
	_, there := a.objects[resource][keyOf(object)]
	a.version++
	metadata["resourceVersion"] = strconv.Itoa(a.version)
	if metadata["uid"] == nil {
		metadata["uid"] = "uid-" + keyOf(object)
	}
	a.objects[resource][keyOf(object)] = object
	kind := "ADDED"
	if there {
		kind = "MODIFIED"
	}
	a.record(event{a.version, resource, kind, object})
	return strconv.Itoa(a.version)
}

func (a *api) remove(resource, key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	object := a.objects[resource][key]
	delete(a.objects[resource], key)
	a.version++
	a.record(event{a.version, resource, "DELETED", object})
}

func (a *api) record(e event) {
	a.history = append(a.history, e)
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *api) endWatches() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dropped++
	close(a.changed)
	a.changed = make(chan struct{})
}

func (a *api) set(change func(*api)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(a)
}

func (a *api) requests() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

func (a *api) lists(resource string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.listed[resource]
}

func (a *api) watching(what string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open[what]
}

func keyOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	namespace, _ := metadata["namespace"].(string)
	name, _ := metadata["name"].(string)
	return strings.TrimPrefix(namespace+"/"+name, "/")
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/apis/platform.kratix.io/v1alpha1/"), "/api/v1/"), "/")
	namespace := ""
	if parts[0] == "namespaces" {
		namespace, parts = parts[1], parts[2:]
	}
	query := r.URL.Query()
	only := strings.TrimPrefix(query.Get("fieldSelector"), "metadata.name=")
	verb := "list"
	switch {
	case len(parts) > 1:
		verb, only = "get", parts[1]
	case query.Get("watch") != "":
		verb = "watch"
	}
	what := strings.TrimSpace(verb + " " + parts[0] + " " + path.Join(namespace, only))
	a.mu.Lock()
	a.asked = append(a.asked, what)
	code, down, silent := a.refused[verb+" "+parts[0]], a.down, a.silent[verb+" "+parts[0]]
	a.mu.Unlock()
	if silent {
		<-r.Context().Done()
		return
	}
	label := query.Get("labelSelector")
	mine := func(object map[string]any) bool {
		return (only == "" && strings.HasPrefix(keyOf(object)+"/", namespace) || keyOf(object) == path.Join(namespace, only)) && hasLabel(object, label)
	}
	switch {
	case down:
		http.Error(w, "down", http.StatusServiceUnavailable)
	case code != 0:
		refuse(w, code, what)
	case verb == "get":
		a.get(w, parts[0], path.Join(namespace, only))
	case verb == "list":
		a.list(w, parts[0], mine)
	default:
		a.watch(w, r, what, parts[0], mine)
	}
}

func hasLabel(object map[string]any, label string) bool {
	metadata, _ := object["metadata"].(map[string]any)
	labels, _ := metadata["labels"].(map[string]any)
	_, has := labels[label]
	return has || label == ""
}

func refuse(w http.ResponseWriter, code int, what string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(failure(code, what))
}

func failure(code int, what string) metav1.Status {
	reasons := map[int]metav1.StatusReason{http.StatusForbidden: metav1.StatusReasonForbidden, http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusGone: metav1.StatusReasonExpired}
	return metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: int32(code), //nolint:gosec // a status code
		Reason: reasons[code], Message: what + " is refused by the test",
	}
}

func (a *api) get(w http.ResponseWriter, resource, key string) {
	a.mu.Lock()
	object, there := a.objects[resource][key]
	a.mu.Unlock()
	if !there {
		refuse(w, http.StatusNotFound, "get "+resource+" "+key)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(object)
}

var kinds = map[string][2]string{
	"works": {"platform.kratix.io/v1alpha1", "Work"}, "workplacements": {"platform.kratix.io/v1alpha1", "WorkPlacement"},
	"destinations": {"platform.kratix.io/v1alpha1", "Destination"}, "gitstatestores": {"platform.kratix.io/v1alpha1", "GitStateStore"},
	"bucketstatestores": {"platform.kratix.io/v1alpha1", "BucketStateStore"}, "secrets": {"v1", "Secret"},
	"configmaps": {"v1", "ConfigMap"},
}

func (a *api) list(w http.ResponseWriter, resource string, mine func(map[string]any) bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.listed[resource]++
	items := []any{}
	for _, object := range a.objects[resource] {
		if mine(object) {
			items = append(items, object)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{
		"apiVersion": kinds[resource][0], "kind": kinds[resource][1] + "List", "items": items,
		"metadata": map[string]any{"resourceVersion": strconv.Itoa(a.version)},
	})
}

// watch sends the matching events since a resource version.
func (a *api) watch(w http.ResponseWriter, r *http.Request, what, resource string, mine func(map[string]any) bool) {
	w.Header().Set("Content-Type", "application/json")
	stream, flush := json.NewEncoder(w), w.(http.Flusher) //nolint:errcheck // the test server implements it
	send := func(kind string, object any) { _ = stream.Encode(map[string]any{"type": kind, "object": object}) }
	a.mu.Lock()
	defer a.mu.Unlock()
	a.open[what]++
	defer func() { a.open[what]-- }()
	seen, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		a.listed[resource]++
		for _, object := range a.objects[resource] {
			if mine(object) {
				send("ADDED", object)
			}
		}
		send("BOOKMARK", map[string]any{
			"apiVersion": kinds[resource][0], "kind": kinds[resource][1], "metadata": map[string]any{
				"resourceVersion": strconv.Itoa(a.version), "annotations": map[string]string{"k8s.io/initial-events-end": "true"},
			},
		})
		seen = a.version
	}
	if seen < a.forgotten {
		send("ERROR", failure(http.StatusGone, what))
		return
	}
	for began := a.dropped; a.dropped == began && r.Context().Err() == nil; {
		if a.held[resource] {
			a.wait(r.Context())
			continue
		}
		for _, e := range a.history {
			if e.version > seen && e.resource == resource && mine(e.object) {
				send(e.kind, e.object)
			}
		}
		seen = a.version
		flush.Flush()
		a.wait(r.Context())
	}
}

func (a *api) wait(ctx context.Context) {
	changed := a.changed
	a.mu.Unlock()
	defer a.mu.Lock()
	select {
	case <-changed:
	case <-ctx.Done():
	}
}

func eventually(t *testing.T, problem func() string) {
	t.Helper()
	var last string
	for late := time.Now().Add(time.Minute); time.Now().Before(late); time.Sleep(5 * time.Millisecond) {
		if last = problem(); last == "" {
			return
		}
	}
	t.Fatal(last)
}

func workJSON(name, more string) string {
	return fmt.Sprintf(`{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{"name":%q,"namespace":"default","generation":1%s},
		"spec":{"promiseName":"redis","resourceName":%[1]q,"workloadGroups":[{"id":"5058f1af8388633f609cadb75a75dc9d","directory":".","workloads":[{"filepath":"a.yaml","content":"x"}]}]}}`, name, more)
}

func placementJSON(name, more, status string) string {
	return fmt.Sprintf(`{"apiVersion":"platform.kratix.io/v1alpha1","kind":"WorkPlacement","metadata":{"name":%q,"namespace":"default","generation":1,
		"labels":{"kratix.io/work":%[1]q}%s},"spec":{"targetDestinationName":"worker-1","workloads":[{"filepath":"a.yaml","content":"x"}]},"status":{%s}}`, name, more, status)
}

func destinationJSON(name, more, status string) string {
	return fmt.Sprintf(`{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Destination","metadata":{"name":%q%s},
		"spec":{"stateStoreRef":{"kind":"GitStateStore","name":"default"}},"status":{%s}}`, name, more, status)
}

func storeJSON(secret string) string {
	return fmt.Sprintf(`{"apiVersion":"platform.kratix.io/v1alpha1","kind":"GitStateStore","metadata":{"name":"default","generation":%d},
		"spec":{"url":"https://git.example","secretRef":{"name":%q,"namespace":"default"}}}`, len(secret), secret)
}

func secretJSON(name, password string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","metadata":{"name":%q,"namespace":"default"},"data":{"password":%q}}`, name, password)
}
