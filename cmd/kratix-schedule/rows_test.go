package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const hostile = `evil\u001b[31m\u202e`

func reports() http.Handler {
	mux := http.NewServeMux()
	serve := func(name string, status int, body string) {
		mux.HandleFunc("GET /"+name+"/api/v1/report", func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	const head = `{"schemaVersion":1,"tool":"kratix-schedule","version":"v1","done":"written","summary":{"errors":1,"placements":{"placed":1}},` + "\n"
	serve("good", http.StatusOK, head+`"findings": [
{"rule":"KS001","name":"DuplicateObject","severity":"error","message":"ConfigMap default/x is there already","place":{"object":"Work team-a/db","file":"x.yaml","line":1},"related":[{"object":"Work team-b/db","message":"its owner"}],"fix":"Mend it."},
{"rule":"KS060","name":"StoreFailed","severity":"error","message":"read: no","place":{"object":"GitStateStore down"},"fix":"Mend it."},
{"rule":"KS020","name":"UnreadableInput","severity":"error","message":"no","place":{"file":"a.yaml"},"fix":"Mend it."}],
"placements": [
{"work":"team-b/db","directory":".","destination":"east","state":"unchanged","promise":"redis","resource":"db"},
{"work":"team-a/db","directory":".","destination":"east","state":"held back","reason":"it conflicts"},
{"work":"team-a/web","directory":".","state":"not placed","reason":"nothing fits"}],
"stores": [{"name":"GitStateStore up","revision":"abc","destinations":[{"name":"east","location":"x#main:east"},{"name":"west","location":"x#main:west"}]},{"name":"GitStateStore other","unselected":true}],
"changes": []}`)
	serve("hostile", http.StatusOK, head+`"findings":[{"rule":"KS001","name":"DuplicateObject","severity":"error","message":"`+hostile+`","place":{"object":"Work `+hostile+`"}}],`+
		`"placements":[{"work":"default/`+hostile+`","directory":".","destination":"`+hostile+`","state":"`+hostile+`","reason":"a\nb"}],"stores":[],"changes":[]}`)
	serve("garbage", http.StatusOK, "<html>welcome</html>")
	serve("other", http.StatusOK, `{"kind":"List","items":[{"a":{"b":[1,2]}}]}`)
	serve("cut", http.StatusOK, head+`"findings": [`)
	serve("later", http.StatusOK, `{"schemaVersion":2,"tool":"kratix-schedule"}`)
	serve("early", http.StatusServiceUnavailable, "there is no report yet\x1b[31m")
	mux.HandleFunc("GET /huge/api/v1/report", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"schemaVersion":1,"tool":"kratix-schedule","findings":[{"message":"`)
		block := bytes.Repeat([]byte("x"), 1<<20)
		for range 1 << 10 {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("GET /long/api/v1/report", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(300<<20))
		_, _ = io.WriteString(w, `{"schemaVersion":1,"tool":"kratix-schedule","other":["`)
	})
	mux.HandleFunc("GET /large/apis/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(" "), 17<<20)) })
	mux.HandleFunc("GET /expired/apis/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusGone)
		_, _ = io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"the page is too old","reason":"Expired","code":410}`)
	})
	mux.HandleFunc("GET /walled/apis/platform.kratix.io/v1alpha1/{resource}", clusterObjects)
	mux.HandleFunc("GET /walled/api/v1/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	mux.HandleFunc("GET /garbage/apis/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>welcome</html>") })
	mux.HandleFunc("GET /cluster/api/v1/namespaces/default/secrets/keys", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"keys","namespace":"default"},"data":{"username":"dXNlcg==","password":"aHVudGVyMg=="}}`)
	})
	rolloutObjects(mux)
	mux.HandleFunc("GET /cluster/apis/platform.kratix.io/v1alpha1/{resource}", clusterObjects)
	return mux
}

func clusterObjects(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	const ready, no = `"conditions":[{"type":"Ready","status":"True"}]`, `"conditions":[{"type":"Ready","status":"False","reason":"%s","message":"%s"}]`
	placement := func(work, destination, status string) string {
		return fmt.Sprintf(`{"metadata":{"name":"%s.%s-5058f","namespace":"team-a","labels":{"kratix.io/work":"%s","tier":"gold"}},"spec":{"targetDestinationName":"%s","promiseName":"redis","resourceName":"%s","id":"5058f1af8388633f609cadb75a75dc9d","workloads":[{"filepath":"x","content":"H4sI"}]},"status":{%s}}`,
			work, destination, work, destination, work, status)
	}
	var items, next string
	switch resource := r.PathValue("resource"); {
	case resource == "workplacements" && r.URL.Query().Get("continue") == "":
		next, items = "page-2", placement("db", "east", `"versionID":"abc",`+ready)
	case resource == "workplacements":
		items = placement("web", "east", `"conditions":[{"type":"Ready","status":"True"},{"type":"ConflictFree","status":"False","reason":"DuplicateResources","message":"ConfigMap x is there already"}]`) + "," +
			placement("mail", "west", fmt.Sprintf(no, "Misplaced", "west lacks a=b")) + "," +
			placement("news", "west", fmt.Sprintf(no, "ScheduledToDestination", "")) + "," +
			placement("shop", "west", fmt.Sprintf(no, "WorkloadsFailedWrite", "denied")) + "," + placement("idle", "west", "")
	case resource == "works":
		items = `{"metadata":{"name":"db","namespace":"team-a","labels":{"team":"payments"}}},{"metadata":{"name":"lost","namespace":"team-a","labels":{"tier":"tin"}},"spec":{"promiseName":"kafka"},"status":{"conditions":[{"type":"ScheduleSucceeded","status":"False","reason":"UnscheduledWorkloads","message":"nothing fits"}]}}`
	case resource == "destinations":
		items = `{"metadata":{"name":"east","labels":{"env":"dev"}},"spec":{"path":"east","stateStoreRef":{"kind":"GitStateStore","name":"up"},"filepath":{"mode":"none"}},"status":{` + ready + `}},` +
			`{"metadata":{"name":"west","annotations":{"kratix-schedule.io/cordon":"true"}},"spec":{"path":"west","stateStoreRef":{"kind":"BucketStateStore","name":"s3"}},"status":{` + ready + `}}`
	case resource == "gitstatestores":
		items = `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"GitStateStore","metadata":{"name":"up"},"spec":{"url":"http://user:hunter2@127.0.0.1:1/x.git","secretRef":{"name":"keys","namespace":"default"}},"status":{` + ready + `}}`
	case resource == "bucketstatestores":
		items = `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"BucketStateStore","metadata":{"name":"s3"},"spec":{"bucketName":"state","endpoint":"127.0.0.1:1","path":"/a/","authMethod":"IAM","secretRef":{"name":"../../x","namespace":"default"}},"status":{` + fmt.Sprintf(no, "SecretNotFound", "no Secret") + `}}`
	default:
		w.WriteHeader(http.StatusNotFound)
		return
	}
	_, _ = fmt.Fprintf(w, `{"kind":"List","apiVersion":"v1","metadata":{"resourceVersion":"1","continue":"%s"},"items":[%s]}`, next, items)
}

func TestResponseOfADaemonIsBounded(t *testing.T) {
	body := &boundedBody{strings.NewReader("0123456789"), 4}
	if text, err := io.ReadAll(body); string(text) != "0123" || !errors.Is(err, errTooLong) {
		t.Errorf("%q, %v", text, err)
	}
}

func watchRowsOf(t *testing.T, url string, done func(said string) bool) (int, string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	said := &tee{}
	ended := make(chan int, 1)
	go func() {
		ended <- execute(ctx, []string{"get", "placements", "--server", url, "--watch"}, streams{in: strings.NewReader(""), out: said, err: said})
	}()
	for deadline := time.Now().Add(20 * time.Second); !done(said.String()) && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
	}
	stop()
	select {
	case code := <-ended:
		return code, said.String()
	case <-time.After(10 * time.Second):
		t.Fatal("it does not end")
		return 0, ""
	}
}

func TestWatchPrintsChangedRowsAndEndsWhenInterrupted(t *testing.T) {
	row := func(work, state string) string {
		return fmt.Sprintf(`{"work":"default/%s","directory":".","destination":"worker-1","state":"%s"}`, work, state)
	}
	answers := []string{row("a", "placed") + "," + row("b", "placed"), "", row("a", "unchanged") + "," + row("b", "placed"), row("b", "placed") + "," + row("c", "placed")}
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		i := min(int(asked.Add(1)), len(answers)) - 1
		if answers[i] == "" {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintf(w, `{"schemaVersion":1,"tool":"kratix-schedule","placements":[%s]}`, answers[i])
	}))
	defer server.Close()
	code, said := watchRowsOf(t, server.URL, func(said string) bool { return strings.Contains(said, "deleted") })
	want := []string{
		"NAMESPACE   WORK   GROUP   DESTINATION   STATE", "default     a      .       worker-1      placed", "default     b      .       worker-1      placed",
		"kratix-schedule: --server " + server.URL + "/api/v1/report: it answers 503 Service Unavailable: ",
		"default     a      .       worker-1      unchanged", "default     c      .       worker-1      placed", "default     a      .       worker-1      deleted", "",
	}
	if got := strings.Split(said, "\n"); code != exitClean || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("status %d:\n%s", code, said)
	}
}

func TestWatchEndsOnWrongUsage(t *testing.T) {
	server := httptest.NewServer(reports())
	defer server.Close()
	var said bytes.Buffer
	code := execute(t.Context(), []string{"get", "placements", "nobody", "--server", server.URL + "/good", "--watch"}, streams{in: strings.NewReader(""), out: &said, err: &said})
	if code != exitUsage || !strings.Contains(said.String(), "no placement is named nobody") {
		t.Errorf("status %d: %s", code, said.String())
	}
}

func TestWatchEndsAfterManyFailures(t *testing.T) {
	var said bytes.Buffer
	var delays []time.Duration
	server := httptest.NewServer(reports())
	defer server.Close()
	watch := rowWatch{
		from: &serverRows{url: server.URL + "/garbage/api/v1/report", shown: "URL", client: server.Client()}, kind: listing.Placements,
		out: &said, err: &said, wait: func(_ context.Context, d time.Duration) { delays = append(delays, d) },
	}
	err := watch.run(t.Context(), &cobra.Command{})
	if err == nil || err.Error() != "10 tries in a row failed; the last one: --server URL: it is not the report of a daemon" {
		t.Error(err)
	}
	if len(delays) != 9 || delays[0] != 4*time.Second || delays[8] != maxWatchDelay {
		t.Errorf("%s", delays)
	}
	if n := strings.Count(said.String(), "it is not the report of a daemon"); n != 9 {
		t.Errorf("%d messages:\n%s", n, &said)
	}
}

func TestRevisionIsNamedByItsBeginning(t *testing.T) {
	log := statestore.Log{More: true, Entries: []statestore.LogEntry{{Revision: "abcd1"}, {Revision: "abcd2"}, {Revision: "abcd"}, {Revision: "beef1"}, {Revision: "xy"}}}
	for text, want := range map[string]string{
		"abcd": "abcd", "abcd1": "abcd1", "beef": "beef1", "xy": "xy",
		"bee": "there is no revision bee among the newest 5; write at least 4 characters of one that history prints", "": "there is no revision ",
	} {
		got, err := resolve(log, text)
		if said := cmp.Or(string(got), fmt.Sprint(err)); !strings.HasPrefix(said, want) {
			t.Errorf("%q: %s", text, said)
		}
	}
	log.More = false
	if _, err := resolve(log, "bee"); err == nil || err.Error() != "there is no revision bee; write at least 4 characters of one that history prints" {
		t.Error(err)
	}
	log.Entries = log.Entries[:2]
	if _, err := resolve(log, "abcd"); err == nil || err.Error() != "several revisions begin with abcd: write more of it" {
		t.Error(err)
	}
}

func TestResponseIsReadUpToItsLimit(t *testing.T) {
	for size, want := range map[int]error{4: nil, 5: errTooLong, 6: errTooLong} {
		text, err := io.ReadAll(&boundedBody{strings.NewReader(strings.Repeat("x", size)), 5})
		if !errors.Is(err, want) || len(text) > 5 {
			t.Errorf("%d bytes: read %q, %v", size, text, err)
		}
	}
}
