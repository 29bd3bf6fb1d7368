package requests_test

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

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/status/requests"
)

const promise = `{"spec":{"api":{"apiVersion":"apiextensions.k8s.io/v1","spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"redises"},
	"versions":[{"name":"v1","served":true},{"name":"v2","served":true,"storage":true},{"name":"v3"}]}}}}`

type api struct {
	mu       sync.Mutex
	calls    []string
	promise  string
	statuses map[string]map[string]any
	// answer returns the status code of a call, or 0 for the usual response.
	answer func(call string) int
	prunes bool
	clock  time.Time
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	call := strings.TrimSpace(r.Method + " " + r.URL.Path + " " + string(body))
	a.calls = append(a.calls, call)
	w.Header().Set("Content-Type", "application/json")
	if a.answer != nil {
		if code := a.answer(call); code != 0 {
			refuse(w, code, "")
			return
		}
	}
	if r.URL.Path == "/apis/"+kratix.APIVersion+"/promises/redis" {
		_, _ = io.WriteString(w, a.promise)
		return
	}
	name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/apis/example.com/v2/namespaces/default/redises/"), "/status")
	have, there := a.statuses[name]
	if !there {
		refuse(w, http.StatusNotFound, name)
		return
	}
	if r.Method == http.MethodPatch && !a.prunes {
		var patch struct{ Status map[string]any }
		if err := json.Unmarshal(body, &patch); err != nil || r.Header.Get("Content-Type") != string(types.MergePatchType) {
			refuse(w, http.StatusBadRequest, name)
			return
		}
		apply(have, patch.Status)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"metadata": map[string]any{"name": name}, "status": have})
}

func apply(to, patch map[string]any) {
	for name, value := range patch {
		there, _ := to[name].(map[string]any)
		fields, isMap := value.(map[string]any)
		switch {
		case value == nil:
			delete(to, name)
		case isMap && there != nil:
			apply(there, fields)
		default:
			to[name] = value
		}
	}
}

func refuse(w http.ResponseWriter, code int, name string) {
	w.WriteHeader(code)
	reasons := map[int]string{http.StatusNotFound: "NotFound", http.StatusForbidden: "Forbidden", http.StatusTooManyRequests: "TooManyRequests"}
	_, _ = fmt.Fprintf(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","code":%d,"reason":%q,"message":"no\u001b","details":{"name":%q}}`, code, reasons[code], name)
}

type fixture struct {
	*api
	t      *testing.T
	writer *requests.Writer
}

func newFixture(t *testing.T, names ...string) *fixture {
	t.Helper()
	a := &api{promise: promise, statuses: map[string]map[string]any{}, clock: time.Unix(1000, 0)}
	for _, name := range names {
		a.statuses[name] = map[string]any{"message": "Resource requested"}
	}
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	writer, err := requests.New(&rest.Config{Host: server.URL, QPS: -1}, func() time.Time {
		a.mu.Lock()
		defer a.mu.Unlock()
		return a.clock
	})
	if err != nil {
		t.Fatal(err)
	}
	return &fixture{a, t, writer}
}

func (f *fixture) write(value status.RequestStatus, names ...string) (requests.Outcome, []string) {
	f.t.Helper()
	var wanted []status.Request
	for _, name := range names {
		wanted = append(wanted, status.Request{Promise: "redis", Key: kratix.Key{Namespace: "default", Name: name}, Works: []status.RequestWork{{Name: name, UID: "uid"}}, Status: value})
	}
	f.mu.Lock()
	f.calls = nil
	f.mu.Unlock()
	outcome := f.writer.Write(f.t.Context(), wanted)
	return outcome, f.calls
}

func (f *fixture) expect(value status.RequestStatus, want ...string) {
	f.t.Helper()
	outcome, calls := f.write(value, "a")
	if !slices.Equal(calls, want) {
		f.t.Errorf("calls\n%s\nwant\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
	}
	if len(outcome.Findings) > 0 || outcome.Retry > 0 {
		f.t.Errorf("%+v", outcome)
	}
}

const (
	getPromise = "GET /apis/platform.kratix.io/v1alpha1/promises/redis"
	getA       = "GET /apis/example.com/v2/namespaces/default/redises/a/status"
	patchA     = "PATCH /apis/example.com/v2/namespaces/default/redises/a/status "
)

func statusOn(name, healthy string) status.RequestStatus {
	return status.RequestStatus{Destinations: []status.RequestDestination{{Name: name, Healthy: healthy}}}
}

func TestRequestIsPatchedOnlyWhenItsStatusDiffers(t *testing.T) {
	f := newFixture(t, "a")
	f.expect(statusOn("worker-1", "Unknown"), getPromise, getA, patchA+`{"status":{"kratixSchedule":{"destinations":[{"healthy":"Unknown","name":"worker-1"}]}}}`)
	f.expect(statusOn("worker-1", "Unknown"))
	held := statusOn("worker-1", "True")
	held.HeldBack = &status.RequestHeldBack{Reason: "PathTaken", Message: "m", Object: "o", Fix: "f"}
	f.expect(held, getA, patchA+`{"status":{"kratixSchedule":{"destinations":[{"healthy":"True","name":"worker-1"}],"heldBack":{"fix":"f","message":"m","object":"o","reason":"PathTaken"}}}}`)
	held.HeldBack = &status.RequestHeldBack{Reason: "PathTaken", Message: "other", Object: "o"}
	f.expect(held, getA, patchA+`{"status":{"kratixSchedule":{"destinations":[{"healthy":"True","name":"worker-1"}],"heldBack":{"fix":null,"message":"other","object":"o","reason":"PathTaken"}}}}`)
	f.expect(statusOn("worker-1", "True"), getA, patchA+`{"status":{"kratixSchedule":{"destinations":[{"healthy":"True","name":"worker-1"}],"heldBack":null}}}`)
	if got := f.statuses["a"]["message"]; got != "Resource requested" {
		t.Errorf("the message is %v", got)
	}
	f.writer.Write(t.Context(), nil) // makes the Writer forget everything, as a restart does
	f.expect(statusOn("worker-1", "True"), getPromise, getA)
}

func TestEmptyStatusIsNotWritten(t *testing.T) {
	newFixture(t, "a").expect(status.RequestStatus{}, getPromise, getA)
}

func TestRequestThatIsGoneIsNotReadAgain(t *testing.T) {
	f := newFixture(t)
	f.expect(statusOn("worker-1", ""), getPromise, getA)
	f.expect(statusOn("worker-1", ""))
}

func TestNamesOfTenantsCannotChangeThePath(t *testing.T) {
	f := newFixture(t, "a")
	for _, r := range []status.Request{
		{Promise: "../../../api/v1/nodes", Key: kratix.Key{Namespace: "default", Name: "a"}},
		{Promise: "redis", Key: kratix.Key{Namespace: "default", Name: "../../../other/redises/a"}},
		{Promise: "redis", Key: kratix.Key{Namespace: "../default", Name: "a"}},
		{Promise: "redis", Key: kratix.Key{Namespace: "default", Name: "a?x=y"}},
		{Promise: "", Key: kratix.Key{Namespace: "default", Name: "a"}},
	} {
		r.Status = statusOn("worker-1", "")
		if f.writer.Write(t.Context(), []status.Request{r}); len(f.calls) > 0 {
			t.Errorf("%+v: %q", r, f.calls)
		}
	}
}

func TestFailureOfAGroupWaits(t *testing.T) {
	for name, test := range map[string]struct {
		change   func(f *fixture)
		severity finding.Severity
		calls    int
		message  string
	}{
		"no right to read Promises": {func(f *fixture) { f.answer = failingCalls("promises", http.StatusForbidden) }, finding.Note, 1, "not granted"},
		"no right to read requests": {func(f *fixture) { f.answer = failingCalls("GET /apis/example.com", http.StatusForbidden) }, finding.Note, 2, "not granted"},
		"no Promise":                {func(f *fixture) { f.answer = failingCalls("promises", http.StatusNotFound) }, finding.Warning, 1, "Promise redis is not in the cluster"},
		"no such version":           {func(f *fixture) { f.answer = failingCalls("GET /apis/example.com", http.StatusNotFound) }, finding.Warning, 2, "there is no such API"},
		"no API":                    {func(f *fixture) { f.promise = `{"spec":{}}` }, finding.Warning, 1, "spec.api is missing"},
		"an odd API": {func(f *fixture) {
			f.promise = `{"spec":{"api":{"spec":{"group":"../x","names":{"plural":"y"},"versions":[{"name":"v1","served":true}]}}}}`
		}, finding.Warning, 1, "do not name a resource"},
		"cluster-scoped requests": {func(f *fixture) { f.promise = strings.Replace(promise, "Namespaced", "Cluster", 1) }, finding.Warning, 1, "have no namespace"},
		"a pruned field":          {func(f *fixture) { f.prunes = true }, finding.Warning, 3, "drops the field status.kratixSchedule"},
		"too many calls":          {func(f *fixture) { f.answer = failingCalls("PATCH", http.StatusTooManyRequests) }, finding.Warning, 3, "no\\x1b"},
	} {
		f := newFixture(t, "a")
		test.change(f)
		outcome, calls := f.write(statusOn("worker-1", ""), "a")
		if len(calls) != test.calls || len(outcome.Findings) != 1 || outcome.Retry < time.Second {
			t.Errorf("%s: %q %+v", name, calls, outcome)
			continue
		}
		got := outcome.Findings[0]
		if got.Rule.Severity != test.severity || got.Place.Object != "Promise redis" || !strings.Contains(got.Message, test.message) || strings.Contains(got.Message, "\x1b") {
			t.Errorf("%s: %+v", name, got)
		}
		if outcome, calls := f.write(statusOn("worker-2", ""), "a"); len(calls) > 0 || len(outcome.Findings) != 1 {
			t.Errorf("%s, at once again: %q %+v", name, calls, outcome)
		}
		f.answer, f.promise, f.prunes = nil, promise, false
		f.clock = f.clock.Add(outcome.Retry)
		if outcome, _ := f.write(statusOn("worker-2", ""), "a"); outcome.Patched != 1 || len(outcome.Findings) > 0 {
			t.Errorf("%s, once it is over: %+v", name, outcome)
		}
	}
}

func failingCalls(part string, code int) func(string) int {
	return func(call string) int {
		if strings.Contains(call, part) {
			return code
		}
		return 0
	}
}

func TestRefusedRequestDoesNotKeepOthersBack(t *testing.T) {
	f := newFixture(t, "a", "b", "c")
	f.answer = failingCalls("PATCH /apis/example.com/v2/namespaces/default/redises/b", http.StatusForbidden)
	outcome, _ := f.write(statusOn("worker-1", ""), "a", "b", "c")
	if outcome.Patched != 2 || len(outcome.Findings) != 1 || !strings.Contains(outcome.Findings[0].Message, "the status of 1 of its requests is not written, such as default/b: ") {
		t.Errorf("%+v", outcome)
	}
	if _, calls := f.write(statusOn("worker-1", ""), "a", "b", "c"); len(calls) > 0 {
		t.Errorf("at once again: %q", calls)
	}
	f.answer, f.clock = nil, f.clock.Add(outcome.Retry)
	if outcome, calls := f.write(statusOn("worker-1", ""), "a", "b", "c"); outcome.Patched != 1 || len(calls) != 2 || len(outcome.Findings) > 0 {
		t.Errorf("%+v %q", outcome, calls)
	}
}

func TestGrantInOneNamespaceIsUsed(t *testing.T) {
	f := newFixture(t, "a", "b")
	f.answer = failingCalls("/namespaces/other/", http.StatusForbidden)
	var wanted []status.Request
	for _, namespace := range []string{"other", "default"} {
		for _, name := range []string{"a", "b"} {
			wanted = append(wanted, status.Request{Promise: "redis", Key: kratix.Key{Namespace: namespace, Name: name}, Status: statusOn("worker-1", "")})
		}
	}
	outcome := f.writer.Write(t.Context(), wanted)
	if outcome.Patched != 2 || len(outcome.Findings) != 1 || outcome.Findings[0].Rule.Severity != finding.Note || outcome.Retry != 10*time.Minute {
		t.Errorf("%+v", outcome)
	}
}

func TestManyRefusedRequestsStopTheGroup(t *testing.T) {
	var names []string
	for i := range 200 {
		names = append(names, "r"+strconv.Itoa(i))
	}
	f := newFixture(t, names...)
	f.answer = failingCalls("PATCH", http.StatusForbidden)
	if outcome, calls := f.write(statusOn("worker-1", ""), names...); len(calls) > 60 || len(outcome.Findings) != 1 {
		t.Errorf("%d calls, %+v", len(calls), outcome)
	}
}

func TestTimeOfAPassIsBounded(t *testing.T) {
	var names []string
	for i := range 100 {
		names = append(names, "r"+strconv.Itoa(i))
	}
	f := newFixture(t, names...)
	f.answer = func(string) int {
		f.clock = f.clock.Add(time.Second)
		return 0
	}
	outcome, calls := f.write(statusOn("worker-1", ""), names...)
	if len(calls) > 40 || outcome.Retry != time.Second {
		t.Errorf("%d calls, %+v", len(calls), outcome)
	}
	f.answer = nil
	if outcome, _ := f.write(statusOn("worker-1", ""), names...); outcome.Retry > 0 || len(f.statuses) != 100 {
		t.Errorf("%+v", outcome)
	}
	for name, have := range f.statuses {
		if have[requests.Field] == nil {
			t.Errorf("%s is not written", name)
		}
	}
}
