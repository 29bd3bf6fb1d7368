package page

import (
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

var update = flag.Bool("update", false, "write golden files again")

func placed(w *kratix.Work, destination string, state report.State, reason string) report.Placement {
	p := report.Placement{Work: kratix.KeyOf(w).String(), Directory: kratix.DefaultDirectory, Destination: destination, State: state, Reason: reason}
	if destination != "" {
		p.Object = kratix.NewWorkPlacement(w, &w.Spec.WorkloadGroups[0], destination)
	}
	return p
}

func sample() Round {
	a, b, c, d := testkit.Request("a"), testkit.Request("b"), testkit.Request("c"), testkit.Request("d", testkit.WithSelector(map[string]string{"env": "prod"}))
	d.Spec.PromiseName = "postgresql"
	conflict := func(of, with string) finding.Finding {
		return finding.Finding{
			Rule: finding.DuplicateObject(), Subject: "ConfigMap default/x", Place: finding.Place{Object: "Work default/" + of, File: "x.yaml", Line: 3},
			Message: "ConfigMap default/x is in worker-1/resources already", Flux: "kustomize build failed: may not add resource with an already registered id",
			Related: []finding.Related{{Place: finding.Place{Object: "Work default/" + with, File: "y.yaml", Line: 1}, Message: "request " + with}},
		}
	}
	nowhere := finding.Finding{Rule: finding.NoDestination(), Place: finding.Place{Object: "Work default/d"}, Message: "its default group: 0/2 Destinations fit: 2 lack env=prod"}
	misplaced := finding.Finding{Rule: finding.Misplaced(), Place: finding.Place{Object: "Work default/a"}, Message: "on worker-1"}
	failure := &agent.Failure{Revision: "1a2b3c4", Outcome: agent.ApplyFailed, Message: "ConfigMap/default/x dry-run failed: no", Since: time.Unix(100, 0)}
	return Round{
		Ended: time.Unix(1000, 0),
		Report: report.Report{
			Findings: []finding.Finding{conflict("b", "a"), conflict("c", "a"), nowhere, misplaced},
			Placements: []report.Placement{
				placed(a, "worker-1", report.Unchanged, "the only Destination that fits"),
				placed(b, "worker-1", report.HeldBack, "one of its objects is in worker-1/resources already"),
				placed(c, "worker-1", report.HeldBack, "one of its objects is in worker-1/resources already"),
				placed(c, "worker-2", report.Placed, "it fits"),
				placed(d, "", report.Unplaced, "0/2 Destinations fit: 2 lack env=prod"),
			},
			Rollouts: []report.Rollout{
				{
					Name: "operators", Promise: "redis", Works: []string{"default/redis"}, Revision: "9a8b7c6", Phase: "Failed", Reason: "wave canary: worker-1 has failed", Since: time.Unix(500, 0),
					Waves: []report.RolloutWave{
						{Name: "canary", Destinations: 1, Updated: 1, Failed: 1, Reason: "1 of 1 Destinations has failed"},
						{Name: "rest", Destinations: 2, Reason: "it waits for wave canary"},
					},
					Destinations: []report.RolloutDestination{
						{Name: "worker-1", Wave: "canary", Updated: true, Since: time.Unix(600, 0), Reason: "its agent reports ApplyFailed"},
						{Name: "worker-2", Wave: "rest", Reason: "it waits for wave canary"}, {Name: "worker-3", Wave: "rest"},
					},
				},
				{Name: "databases", Promise: "postgresql", Revision: "1d2e3f4", Phase: "Waiting", Waves: []report.RolloutWave{{Name: "rest", Destinations: 1, Reason: "it waits for the approval of 1d2e3f4/rest"}}},
			},
			Stores: []report.Store{{Name: "GitStateStore default", Revision: "5d6e7f8", Covered: []string{"worker-1", "worker-2"}}},
			Deliveries: []report.Delivery{
				{Destination: "worker-1", Root: "resources", State: agent.State{Failure: failure}, Failing: []report.Claimant{{Placement: kratix.KeyOf(testkit.Placement(a, "worker-1")), Work: "default/a"}}},
				{Destination: "worker-2", Root: "resources", State: agent.State{Applied: agent.Mark{Revision: "5d6e7f8", Time: time.Unix(900, 0)}, Healthy: agent.Mark{Revision: "5d6e7f8", Time: time.Unix(900, 0)}}},
			},
		},
		Input: &scheduler.Input{
			Works: []*kratix.Work{a, b, c, d},
			Destinations: []scheduler.Destination{
				{Destination: testkit.Destination("worker-1")}, {Destination: testkit.Destination("worker-2"), Closed: "cordoned"},
				{Destination: testkit.Destination("worker-3"), Store: scheduler.StoreUnread},
			},
		},
	}
}

func siteOf(r Round) *Site {
	s := &Site{Version: "v1", Now: time.Now}
	s.Publish(r)
	return s
}

func handler(s *Site) http.Handler {
	mux := http.NewServeMux()
	s.Register(mux)
	return mux
}

func get(h http.Handler, target string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, target, nil))
	return recorder
}

func TestPages(t *testing.T) {
	h := handler(siteOf(sample()))
	for name, target := range map[string]string{
		"overview": "/", "placements": "/placements", "problem": "/placements?state=problem&q=b", "problems": "/problems",
		"rollouts": "/rollouts", "rollout": "/rollout?name=operators&promise=redis",
		"placement": "/placement?work=default/b&destination=worker-1", "unplaced": "/placement?work=default/d", "nothing": "/placements?promise=none",
	} {
		t.Run(name, func(t *testing.T) {
			got := get(h, target)
			if got.Code != http.StatusOK {
				t.Fatalf("status %d", got.Code)
			}
			golden := "testdata/" + name + ".html"
			if *update {
				if err := os.WriteFile(golden, got.Body.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.Body.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPlacementsAreFiltered(t *testing.T) {
	s := &state{Round: sample()}
	for _, c := range []struct {
		query string
		want  string
	}{
		{"", "a b c c d"},
		{"q=DEFAULT/C", "c c"},
		{"promise=postgresql", "d"},
		{"promise=none", ""},
		{"namespace=default&destination=worker-2", "c"},
		{"state=problem", "b c d"},
		{"state=failing+in+the+cluster", "a"},
		{"state=held+back&q=b", "b"},
		{"page=9", "a b c c d"},
		{"page=-1", "a b c c d"},
		{"page=99999999999999999999", "a b c c d"},
	} {
		values, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		matching, total := s.match(ParseQuery(values), 50)
		var got []string
		for _, i := range matching {
			got = append(got, strings.TrimPrefix(s.Report.Placements[i].Work, "default/"))
		}
		if strings.Join(got, " ") != c.want || total != len(got) {
			t.Errorf("%s: got %v of %d", c.query, got, total)
		}
	}
}

func TestListsAreDividedIntoPages(t *testing.T) {
	var r Round
	r.Ended = time.Unix(1, 0)
	for i := range 120 {
		r.Report.Placements = append(r.Report.Placements, placed(testkit.Request(fmt.Sprintf("w%03d", i)), "worker-1", report.Placed, "it fits"))
	}
	h := handler(siteOf(r))
	for target, want := range map[string][]string{
		"/placements":        {"120 placements, page 1 of 3", "w000", "w049", "page=2"},
		"/placements?page=3": {"page 3 of 3", "w100", "w119", "page=2"},
		"/placements?page=7": {"page 3 of 3", "w119"},
	} {
		body := get(h, target).Body.String()
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s lacks %s", target, text)
			}
		}
		if rows := strings.Count(body, "data-label=\"Work\""); rows > placementsPerPage {
			t.Errorf("%s has %d rows", target, rows)
		}
	}
}

func TestBeforeTheFirstRound(t *testing.T) {
	s := &Site{Now: time.Now}
	h := handler(s)
	for _, path := range []string{"/", "/placements", "/problems", "/placement?work=default/a"} {
		if got := get(h, path); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "No round has been done yet") {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	s.Standby()
	if body := get(h, "/").Body.String(); !strings.Contains(body, "Another replica runs the rounds") {
		t.Errorf("standby: %s", body)
	}
	s.Publish(Round{Failure: "no input\x1b[2J"})
	if body := get(h, "/").Body.String(); !strings.Contains(body, `no input\x1b[2J`) {
		t.Errorf("a first round that failed: %s", body)
	}
	s.Publish(sample())
	s.Publish(Round{Failure: "no input"})
	if body := get(h, "/placements").Body.String(); !strings.Contains(body, "no input") || !strings.Contains(body, "default/c") {
		t.Errorf("a later round that failed: %s", body)
	}
}

func TestOnlyReadingIsServed(t *testing.T) {
	h := handler(siteOf(sample()))
	for _, path := range []string{"/", "/placements", "/problems", "/placement", "/events", "/static/page.js"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, "TRACE"} {
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
			if recorder.Code != http.StatusMethodNotAllowed {
				t.Errorf("%s %s: %d", method, path, recorder.Code)
			}
		}
	}
	for _, path := range []string{"/nothing", "/static/", "/static/other.js", "/static/../page.go", "/placements/", "/placement?work=default/none"} {
		if got := get(h, path); got.Code != http.StatusNotFound && got.Code/100 != 3 {
			t.Errorf("%s: %d", path, got.Code)
		}
	}
}

func TestNothingComesFromElsewhere(t *testing.T) {
	h := handler(siteOf(sample()))
	for _, path := range []string{"/", "/placements", "/problems", "/rollouts", "/rollout?name=operators&promise=redis", "/placement?work=default/a&destination=worker-1", "/placement?work=x", "/static/style.css", "/static/page.js", "/static/icon.svg", "/static/none"} {
		got := get(h, path)
		csp := got.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: policy %q", path, csp)
		}
		body := strings.ReplaceAll(got.Body.String(), "http://www.w3.org/2000/svg", "")
		for _, banned := range []string{"http://", "https://", "//cdn", "style=", "<style", "onclick", "javascript:", "url(", "@import"} {
			if strings.Contains(body, banned) {
				t.Errorf("%s has %s", path, banned)
			}
		}
		if n, external := strings.Count(body, "<script"), strings.Count(body, `<script src="/static/page.js" defer></script>`); n != external {
			t.Errorf("%s has an inline script", path)
		}
	}
}

var hostileTexts = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "a\x00b\x1b[31m\r\n", "\u202egnp.exe", "javascript:alert(1)", "../../etc/passwd", "{{.}}", "a&b=c#d?e",
	"\xff\xfe", strings.Repeat("x", 1<<20), strings.Repeat("\x01", 1<<20), strings.Repeat("ü", 1<<19) + "/" + strings.Repeat("\u202e", 1<<19), "",
}

func hostile(text string) Round {
	w := testkit.Request("x")
	w.Name, w.Namespace, w.Spec.PromiseName, w.Spec.ResourceName = text, text, text, text
	w.Spec.WorkloadGroups[0].Directory = text
	p := placed(w, text, report.HeldBack, text)
	p.Object = kratix.NewWorkPlacement(w, &w.Spec.WorkloadGroups[0], text)
	p.Directory = text
	unplaced := placed(w, "", report.Unplaced, text)
	unplaced.Directory = text + "2"
	place := finding.Place{Object: "Work " + text, File: text}
	failure := &agent.Failure{Revision: text, Outcome: agent.ApplyFailed, Message: text}
	d := testkit.Destination("x", testkit.Labelled(map[string]string{text: text}))
	d.Name = text
	return Round{
		Ended: time.Unix(1, 0), Input: &scheduler.Input{Works: []*kratix.Work{w}, Destinations: []scheduler.Destination{{Destination: d, Closed: text}}},
		Report: report.Report{
			Findings: []finding.Finding{
				{Rule: finding.DuplicateObject(), Subject: text, Place: place, Message: text, Flux: text, Fix: text, Related: []finding.Related{{Place: place, Message: text}}},
				{Rule: finding.StoreFailed(), Place: finding.Place{Object: text}, Message: text},
			},
			Placements: []report.Placement{p, unplaced},
			Rollouts:   []report.Rollout{hostileRollout(text)},
			Stores:     []report.Store{{Name: text, Revision: text, Covered: []string{text}}},
			Deliveries: []report.Delivery{{Destination: text, Root: text, State: agent.State{Failure: failure}, Failing: []report.Claimant{{Placement: kratix.KeyOf(p.Object), Work: p.Work}}}},
		},
	}
}

func hostileRollout(text string) report.Rollout {
	r := report.Rollout{Name: text, Promise: text, Revision: text, Phase: text, Reason: text}
	for range 20 {
		r.Waves = append(r.Waves, report.RolloutWave{Name: text, Reason: text})
	}
	for range 300 {
		r.Destinations = append(r.Destinations, report.RolloutDestination{Name: text, Wave: text, Reason: text})
	}
	return r
}

func TestHostileTextIsHarmless(t *testing.T) {
	for i, text := range hostileTexts {
		r := hostile(text)
		s := siteOf(r)
		s.Store = fixedFiles{Files{Store: text, Revision: text, Files: []File{{Path: text, Content: text[:min(len(text), 1000)]}, {Path: text, Withheld: text}}}}
		h := handler(s)
		targets := []string{"/", "/placements", "/problems", "/rollouts"}
		if link := rolloutLink(&r.Report.Rollouts[0]); link != "" && text != "" {
			targets = append(targets, link+"&q="+url.QueryEscape(text))
		}
		for _, p := range r.Report.Placements {
			if link := (Placement{p.Work, p.Directory, p.Destination}).link(); link != "" && text != "" {
				targets = append(targets, link, strings.Replace(link, "/placement?", "/history?", 1)+"&from=a&to=b")
			}
		}
		if len(text) < 4096 {
			targets = append(targets, "/placements?"+url.Values{"q": {text}, "promise": {text}, "state": {text}, "page": {text}}.Encode())
		}
		for _, target := range targets {
			got := get(h, target)
			body := got.Body.String()
			if got.Code != http.StatusOK {
				t.Errorf("text %d, %s: %d", i, target[:min(len(target), 80)], got.Code)
			}
			if !strings.Contains(body, "</html>") {
				t.Errorf("text %d, %s: the page is not complete", i, target[:min(len(target), 80)])
			}
			checkHarmless(t, fmt.Sprintf("text %d, %s", i, target[:min(len(target), 80)]), body)
			if len(body) > 512<<10 {
				t.Errorf("text %d, %s: %d bytes", i, target[:min(len(target), 80)], len(body))
			}
		}
	}
}

func checkHarmless(t *testing.T, name, body string) {
	t.Helper()
	for _, banned := range []string{"<script>", "<img", "\x00", "\x1b", "\u202e", "\xff", `href="javascript`} {
		if strings.Contains(body, banned) {
			t.Errorf("%s: it has %q", name, banned)
		}
	}
}

func FuzzQuery(f *testing.F) {
	for _, query := range []string{"", "q=a&page=2", "state=problem&destination=worker-1", "page=-99999999999999999999", "q=%00%ff%e2%80%ae<script>", "work=default/b&destination=worker-1&group=.", "severity=error&q=ks001"} {
		f.Add(query)
	}
	h := handler(siteOf(sample()))
	f.Fuzz(func(t *testing.T, query string) {
		for _, path := range []string{"/", "/placements", "/problems", "/placement", "/history", "/rollouts", "/rollout"} {
			request := httptest.NewRequest(http.MethodGet, path, nil)
			request.URL.RawQuery = query
			recorder := httptest.NewRecorder()
			h.ServeHTTP(recorder, request)
			if recorder.Code != http.StatusOK && recorder.Code != http.StatusNotFound {
				t.Errorf("%s?%s: %d", path, query, recorder.Code)
			}
			checkHarmless(t, path+"?"+query, recorder.Body.String())
			if !strings.HasSuffix(recorder.Body.String(), "</html>\n") {
				t.Errorf("%s?%s: the page is not complete", path, query)
			}
		}
		values, _ := url.ParseQuery(query)
		if q := ParseQuery(values); q.Page < 1 || len(q.Search) > maxValue {
			t.Errorf("%+v", q)
		} else if values, err := url.ParseQuery(q.String()); err != nil || ParseQuery(values) != q {
			t.Errorf("%+v does not survive as %s: %v", q, q, err)
		}
	})
}
