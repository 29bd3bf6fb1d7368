package requests_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
	"github.com/kratix-schedule/kratix-schedule/internal/status/requests"
)

type records struct {
	stored map[string]map[string]any
	calls  []string
	answer int
	clock  time.Time
}

const recordsPath = "/apis/platform.kratix.io/v1alpha1/namespaces/default/healthrecords"

func (r *records) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.calls = append(r.calls, request.Method)
	w.Header().Set("Content-Type", "application/json")
	name := strings.Trim(strings.TrimPrefix(request.URL.Path, recordsPath), "/")
	if r.answer != 0 {
		refuse(w, r.answer, "")
		return
	}
	var body map[string]any
	if text, _ := io.ReadAll(request.Body); len(text) > 0 {
		if err := json.Unmarshal(text, &body); err != nil {
			refuse(w, http.StatusBadRequest, "")
			return
		}
	}
	have := r.stored[name]
	switch {
	case request.Method == http.MethodPost && name == "":
		metadata, _ := body["metadata"].(map[string]any)
		made, _ := metadata["name"].(string)
		r.stored[made], have = body, body
	case have == nil:
		refuse(w, http.StatusNotFound, name)
		return
	case request.Method == http.MethodPatch && request.Header.Get("Content-Type") == string(types.MergePatchType):
		apply(have, body)
	}
	_ = json.NewEncoder(w).Encode(have)
}

func newRecords(t *testing.T) (*records, func(s status.RequestStatus) requests.Outcome) {
	t.Helper()
	r := &records{stored: map[string]map[string]any{}, clock: time.Unix(1000, 0)}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	writer, err := requests.NewHealthRecords(&rest.Config{Host: server.URL, QPS: -1}, func() time.Time { return r.clock })
	if err != nil {
		t.Fatal(err)
	}
	return r, func(s status.RequestStatus) requests.Outcome {
		r.calls = nil
		return writer.Write(t.Context(), []status.Request{{
			Promise: "redis", Key: kratix.Key{Namespace: "default", Name: "a"}, Works: []status.RequestWork{{Name: "a-1", UID: "uid"}}, Status: s,
		}})
	}
}

func metadataOf(t *testing.T, object map[string]any) map[string]any {
	t.Helper()
	metadata, ok := object["metadata"].(map[string]any)
	if !ok {
		t.Fatalf("%v", object)
	}
	return metadata
}

func statusWith(pairs ...string) status.RequestStatus {
	var s status.RequestStatus
	for _, pair := range pairs {
		applied, healthy, _ := strings.Cut(pair, " ")
		s.Destinations = append(s.Destinations, status.RequestDestination{Name: "worker-1", Path: "p", Revision: "r", Applied: applied, Healthy: healthy})
	}
	return s
}

func TestHealthRecordFollowsTheRequest(t *testing.T) {
	r, write := newRecords(t)
	expect := func(s status.RequestStatus, want ...string) {
		t.Helper()
		if outcome := write(s); !slices.Equal(r.calls, want) || len(outcome.Findings) > 0 {
			t.Errorf("calls %q, want %q; %+v", r.calls, want, outcome)
		}
	}
	expect(statusWith(" ")) // no agent has reported anything
	expect(statusWith("True True"), "GET", "POST")
	want := map[string]any{
		"apiVersion": "platform.kratix.io/v1alpha1", "kind": "HealthRecord",
		"metadata": map[string]any{"namespace": "default", "ownerReferences": []any{
			map[string]any{"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Work", "name": "a-1", "uid": "uid"},
		}},
		"data": map[string]any{
			"promiseRef": map[string]any{"name": "redis"}, "resourceRef": map[string]any{"name": "a", "namespace": "default"}, "state": "healthy", "lastRun": 1000.0,
			"details": map[string]any{"destinations": []any{map[string]any{"name": "worker-1", "applied": "True", "healthy": "True"}}},
		},
	}
	if len(r.stored) != 1 {
		t.Fatalf("%v", r.stored)
	}
	for stored, have := range r.stored {
		metadataOf(t, want)["name"] = stored
		if diff := cmp.Diff(want, have); diff != "" || !strings.HasPrefix(stored, "kratix-schedule-") {
			t.Error(diff)
		}
		r.clock = time.Unix(2000, 0)
		expect(statusWith("True True"))
		expect(statusWith("True False"), "GET", "PATCH")
		data, _ := have["data"].(map[string]any)
		if data["state"] != "unhealthy" || data["lastRun"] != 2000.0 {
			t.Errorf("%v", data)
		}
		metadataOf(t, have)["deletionTimestamp"] = "2026-01-31T12:00:00Z"
	}
	if outcome := write(statusWith("True True")); !slices.Equal(r.calls, []string{"GET"}) || len(outcome.Findings) != 1 || outcome.Retry == 0 {
		t.Errorf("while it is being deleted: %q %+v", r.calls, outcome)
	}
}

func TestStateOfAHealthRecordIsTheWorst(t *testing.T) {
	for pairs, want := range map[string]string{
		"True True":                    "healthy",
		"True True,True Unknown":       "unknown",
		"True True,":                   "unknown",
		"False Unknown,True Unknown":   "degraded",
		"True Unknown,False Unknown":   "degraded",
		"False Unknown,True False":     "unhealthy",
		"True False,False Unknown":     "unhealthy",
		"True False,True True":         "unhealthy",
		"Unknown Unknown,True Unknown": "unknown",
	} {
		r, write := newRecords(t)
		write(statusWith(strings.Split(pairs, ",")...))
		for _, have := range r.stored {
			if data, _ := have["data"].(map[string]any); data["state"] != want {
				t.Errorf("%s: %v, want %s", pairs, data["state"], want)
			}
		}
		if len(r.stored) != 1 {
			t.Errorf("%s: %v", pairs, r.stored)
		}
	}
}

func TestHealthRecordsThatAreNotGrantedAreANote(t *testing.T) {
	for code, want := range map[int]finding.Severity{http.StatusForbidden: finding.Note, http.StatusNotFound: finding.Warning} {
		r, write := newRecords(t)
		r.answer = code
		outcome := write(statusWith("True True"))
		if len(outcome.Findings) != 1 || outcome.Findings[0].Rule.Severity != want || !strings.Contains(outcome.Findings[0].Message, "the HealthRecord of its requests is not written: ") {
			t.Errorf("%d: %+v", code, outcome)
		}
		if write(statusWith("True False")); len(r.calls) > 0 {
			t.Errorf("%d: at once again: %q", code, r.calls)
		}
	}
}
