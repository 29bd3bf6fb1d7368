package apply_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/status/apply"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

type denied struct {
	*api
	mu    sync.Mutex
	deny  func(call) bool
	words string
	code  int
	after string
	tried map[string]int
}

func newDenied(deny func(call) bool) *denied {
	return &denied{api: &api{}, deny: deny, words: "admission webhook denied the request", code: http.StatusForbidden, tried: map[string]int{}}
}

func (d *denied) set(change func(*denied)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(d)
}

func (d *denied) attempts(path string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tried[path]
}

func (d *denied) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	d.tried[r.URL.Path]++
	deny, code, words, after := d.deny(call{Method: r.Method, Path: r.URL.Path}), d.code, d.words, d.after
	d.mu.Unlock()
	if !deny {
		d.api.ServeHTTP(w, r)
		return
	}
	if after != "" { // the response is like that of API Priority and Fairness
		w.Header().Set("Retry-After", after)
		http.Error(w, words, code)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
		Code: int32(code), Reason: metav1.StatusReasonForbidden, Message: words, //nolint:gosec // a status code
	})
}

func (d *denied) writer(t *testing.T, now func() time.Time) *apply.Writer {
	t.Helper()
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	w, err := apply.New(&rest.Config{Host: server.URL, QPS: -1}, now, "pod-1")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func creation(at time.Time, revision string) status.Change {
	return status.Change{Object: placement(), Steps: []status.Step{{Verb: status.Create}, saying("written", at, revision)}}
}

func saying(message string, at time.Time, revision string) status.Step {
	condition := metav1.Condition{Type: "Ready", Status: metav1.ConditionTrue, Reason: "R", Message: message, LastTransitionTime: metav1.NewTime(at)}
	return status.Step{Verb: status.PatchStatus, Patch: map[string]any{"status": map[string]any{
		"conditions": []metav1.Condition{condition}, "versionID": revision,
	}}}
}

func isCreate(c call) bool { return c.Method == http.MethodPost && c.Path == placements }

func TestRefusedWriteBacksOff(t *testing.T) {
	time := clock{now: startTime()}
	d := newDenied(isCreate)
	w := d.writer(t, time.Now)
	other := status.Change{Object: work(), Steps: []status.Step{{Verb: status.PatchStatus, Patch: ready}}}
	const calls = 600
	for i := range calls {
		got := w.Apply(t.Context(), [][]status.Change{{creation(time.Now(), fmt.Sprint("commit-", i)), other}})
		if said := outcomeText(got); len(said) != 1 || said[0] != "WorkPlacement team/a.worker-1-5058f: create is refused: admission webhook denied the request" {
			t.Fatalf("second %d: told %q", i, said)
		}
		if got.Err != nil || got.Retry < 1e9 || got.Retry > 300e9 {
			t.Fatalf("second %d: retry after %s, error %v", i, got.Retry, got.Err)
		}
		time.advance(1e9)
	}
	// The attempts are made after 0, 1, 3, 7, 15, 31, 63, 127, 255 and 511 seconds.
	if got := d.attempts(placements); got != 10 {
		t.Errorf("%d tries of the denied write in ten minutes, want 10", got)
	}
	if got := d.attempts(works + "/a/status"); got != calls {
		t.Errorf("%d of %d other writes were made", got, calls)
	}
}

func TestRefusalEnds(t *testing.T) {
	const path = works + "/a/status"
	change := func(message string, edit func(*kratix.Work)) status.Change {
		w := work()
		edit(w)
		return status.Change{Object: w, Steps: []status.Step{saying(message, startTime(), "c0ffee")}}
	}
	same := func(*kratix.Work) {}
	tests := map[string]struct {
		next  []status.Change
		tries int
	}{
		"not when only the version differs, as after a write by another process": {[]status.Change{change("no", func(w *kratix.Work) { w.ResourceVersion = "8" })}, 0},
		"not when only the time and the store's revision differ":                 {[]status.Change{{Object: work(), Steps: []status.Step{saying("no", startTime().Add(3600e9), "decade")}}}, 0},
		"when the wanted condition has another message":                          {[]status.Change{change("other words", same)}, 1},
		"when the object has another generation":                                 {[]status.Change{change("no", func(w *kratix.Work) { w.Generation = 2 })}, 1},
		"when the object has another label":                                      {[]status.Change{change("no", func(w *kratix.Work) { w.Labels = map[string]string{"allowed": "yes"} })}, 1},
		"when another object has the name":                                       {[]status.Change{change("no", func(w *kratix.Work) { w.UID = types.UID("other") })}, 1},
		"when the change is not wanted any more":                                 {nil, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			time := clock{now: startTime()}
			d := newDenied(func(c call) bool { return c.Path == path })
			w := d.writer(t, time.Now)
			for range 8 { // the next attempt after these is two minutes later
				time.advance(w.Apply(t.Context(), [][]status.Change{{change("no", same)}}).Retry)
			}
			w.Apply(t.Context(), [][]status.Change{{change("no", same)}})
			before := d.attempts(path)
			got := w.Apply(t.Context(), [][]status.Change{test.next})
			if tries := d.attempts(path) - before; tries != test.tries {
				t.Errorf("%d tries, want %d", tries, test.tries)
			}
			if test.tries == 1 && got.Retry != 1e9 {
				t.Errorf("the next try is after %s, want 1s as at first", got.Retry)
			}
			if test.next == nil && (len(got.Refused) > 0 || got.Retry != 0) {
				t.Errorf("it is still told: %v, retry after %s", outcomeText(got), got.Retry)
			}
		})
	}
	t.Run("when the API server accepts it", func(t *testing.T) {
		time := clock{now: startTime()}
		d := newDenied(func(c call) bool { return c.Path == path })
		w := d.writer(t, time.Now)
		got := w.Apply(t.Context(), [][]status.Change{{change("no", same)}})
		d.set(func(d *denied) { d.deny = func(call) bool { return false } })
		time.advance(got.Retry)
		if got = w.Apply(t.Context(), [][]status.Change{{change("no", same)}}); len(got.Refused) > 0 || got.Retry != 0 || len(got.Written) != 1 {
			t.Errorf("%+v", got)
		}
	})
}

func TestServerMessagesAreReportedWithoutVaryingParts(t *testing.T) {
	time := clock{now: startTime()}
	d := newDenied(isCreate)
	w := d.writer(t, time.Now)
	var said []string
	for used := range 3 {
		d.set(func(d *denied) {
			d.words = fmt.Sprintf("exceeded quota: count/workplacements=1,\n\x1b[31mused: %d\u202e", 10+used)
		})
		got := w.Apply(t.Context(), [][]status.Change{{creation(time.Now(), "")}})
		said = append(said, outcomeText(got)...)
		time.advance(got.Retry)
	}
	want := "WorkPlacement team/a.worker-1-5058f: create is refused: exceeded quota: count/workplacements=1, [31mused: 10"
	for _, words := range said {
		if words != want {
			t.Errorf("told %q, want %q each time", words, want)
		}
	}
	d.set(func(d *denied) { d.words = strings.Repeat("denied ", 10_000) })
	if got := outcomeText(w.Apply(t.Context(), [][]status.Change{{creation(time.Now(), "")}})); len(got) != 1 || len(got[0]) > 1200 || !strings.Contains(got[0], "denied denied") {
		t.Errorf("told %d bytes", len(strings.Join(got, "")))
	}
}

func TestRepeatedConflictsAreReported(t *testing.T) {
	time := clock{now: startTime()}
	a := &api{answer: func(call) (int, string) { return http.StatusNotFound, "" }}
	w := writerAt(t, a, time.Now)
	for try := 1; try <= 6; try++ {
		got := w.Apply(t.Context(), [][]status.Change{{{Object: work(), Steps: []status.Step{{Verb: status.PatchStatus, Patch: ready}}}}})
		if len(got.Refused) > 0 != (try >= 5) {
			t.Errorf("try %d: told %q", try, outcomeText(got))
		}
		time.advance(got.Retry)
	}
	if len(a.calls) != 6 {
		t.Errorf("%d calls, want 6", len(a.calls))
	}
}

func manyChanges(count int) []status.Change {
	changes := make([]status.Change, count)
	for i := range changes {
		w := work()
		w.Name, w.UID = fmt.Sprintf("w%04d", i), types.UID(strconv.Itoa(i))
		changes[i] = status.Change{Object: w, Steps: []status.Step{{Verb: status.PatchStatus, Patch: ready}}}
	}
	return changes
}

func TestOverloadedAPIServerPausesAllWrites(t *testing.T) {
	time := clock{now: startTime()}
	d := newDenied(func(call) bool { return true })
	d.code, d.words, d.after = http.StatusTooManyRequests, "Too many requests, please try again later.", "7"
	w := d.writer(t, time.Now)
	const count = 200
	got := w.Apply(t.Context(), [][]status.Change{manyChanges(count)})
	tried := func() (all int) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for _, times := range d.tried {
			all += times
		}
		return all
	}
	if first := tried(); first > 40 || len(got.Refused) > 0 || got.Err == nil || !strings.Contains(got.Err.Error(), "too many requests") {
		t.Errorf("%d calls, told %q, error %v", first, outcomeText(got), got.Err)
	}
	if got.Retry != 7e9 {
		t.Errorf("retry after %s, want the 7s that the server asks for", got.Retry)
	}
	d.set(func(d *denied) { d.deny = func(call) bool { return false } })
	before := tried()
	if w.Apply(t.Context(), [][]status.Change{manyChanges(count)}); tried() != before {
		t.Errorf("%d calls before the time was over", tried()-before)
	}
	time.advance(got.Retry)
	if got = w.Apply(t.Context(), [][]status.Change{manyChanges(count)}); len(got.Written) != count || got.Retry != 0 || got.Err != nil {
		t.Errorf("%d of %d written, retry after %s, error %v", len(got.Written), count, got.Retry, got.Err)
	}
}

func TestUnreachableAPIServerIsReportedOnceAndRetriedWithBackoff(t *testing.T) {
	time := clock{now: startTime()}
	w, err := apply.New(&rest.Config{Host: "http://127.0.0.1:1", QPS: -1}, time.Now, "pod-1")
	if err != nil {
		t.Fatal(err)
	}
	var waits []string
	for range 7 {
		got := w.Apply(t.Context(), [][]status.Change{manyChanges(100)})
		if got.Err == nil || !strings.HasPrefix(got.Err.Error(), "the Kubernetes API: ") || len(got.Refused) > 0 {
			t.Fatalf("error %v, told %q", got.Err, outcomeText(got))
		}
		waits = append(waits, got.Retry.String())
		time.advance(got.Retry)
	}
	if got, want := fmt.Sprint(waits), "[1s 2s 4s 8s 16s 30s 30s]"; got != want {
		t.Errorf("it waits %s, want %s", got, want)
	}
}

func TestMemoryIsBoundedByTheObjectsThatHaveAChange(t *testing.T) {
	d := newDenied(func(call) bool { return true })
	w := d.writer(t, startTime)
	if got := w.Apply(t.Context(), [][]status.Change{manyChanges(100)}); len(got.Refused) != 100 {
		t.Fatalf("%d are told", len(got.Refused))
	}
	if got := w.Apply(t.Context(), [][]status.Change{manyChanges(3)}); len(got.Refused) != 3 {
		t.Errorf("%d are told, of 3 that are wanted", len(got.Refused))
	}
	if got := w.Apply(t.Context(), nil); len(got.Refused) > 0 || got.Retry != 0 {
		t.Errorf("%d are told, and nothing is wanted", len(got.Refused))
	}
}
