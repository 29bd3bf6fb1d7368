package page

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

type fixedFiles struct{ files Files }

func (f fixedFiles) Files(context.Context, Wanted) (Files, error) {
	return f.files, nil
}

func (f fixedFiles) History(context.Context, Wanted) (History, error) {
	text := f.files.Store
	return History{Store: text, Searched: 3, More: true, Warnings: []string{text}, Revisions: []Revision{
		{ID: "bbb", Parent: "aaa", Time: "2026-01-31 12:00:00 UTC", Author: text, Subject: text, Changes: []string{text}}, {ID: "aaa", Subject: "Place it"},
	}}, nil
}

func (f fixedFiles) Compare(_ context.Context, _ Wanted, from, to string) (Comparison, error) {
	if from == "none" {
		return Comparison{}, errors.New("no such revision")
	}
	return Comparison{Cut: true, Lines: []string{"diff --git a/x b/x\n", "+++ b/x\n", "@@ -1 +1 @@\n", "-" + from + "\n", "+" + to + f.files.Store + "\n", " same\n"}}, nil
}

type brokenFiles struct{}

func (brokenFiles) Files(context.Context, Wanted) (Files, error) {
	return Files{}, errors.New("the store does not answer")
}

func (brokenFiles) History(context.Context, Wanted) (History, error) {
	return History{}, errors.New("the store does not answer")
}

func (brokenFiles) Compare(context.Context, Wanted, string, string) (Comparison, error) {
	return Comparison{}, errors.New("the store does not answer")
}

func TestHistoryOfAPlacement(t *testing.T) {
	s := siteOf(sample())
	s.Store = fixedFiles{Files{Store: "GitStateStore default"}}
	for target, wants := range map[string][]string{
		"/placement?work=default/a&destination=worker-1":                           {`href="/history?destination=worker-1&amp;work=default%2Fa"`},
		"/history?work=default/a&destination=worker-1":                             {"bbb", "2026-01-31 12:00:00 UTC", "Place it", "there may be older ones", "from=aaa&amp;to=bbb"},
		"/history?work=default/a&destination=worker-1&from=aaa&to=bbb":             {`<span class="line head">&#43;&#43;&#43; b/x`, `<span class="line del">-aaa`, `<span class="line add">&#43;bbb`, `value="bbb" aria-label="To bbb" checked`, "The rest is not shown"},
		"/history?work=default/a&destination=worker-1&from=none&to=bbb":            {"no such revision"},
		"/history?work=default/a&destination=worker-1&from=%3Cscript%3E&to=%1B%5B": {`-&lt;script&gt;`, `\x1b[`},
		"/history?work=default/d":                                                  {"the group is not placed"},
	} {
		body := get(handler(s), target).Body.String()
		for _, text := range wants {
			if !strings.Contains(body, text) {
				t.Errorf("%s lacks %q:\n%s", target, text, body)
			}
		}
		checkHarmless(t, target, body)
	}
	s.Store = brokenFiles{}
	if body := get(handler(s), "/history?work=default/a&destination=worker-1").Body.String(); !strings.Contains(body, "the store does not answer") {
		t.Error(body)
	}
	for _, target := range []string{"/history?work=default/none%22", "/placement?work=default/none%22&destination=worker-9"} {
		got := get(handler(s), target)
		if got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), `href="/placements?q=default%2Fnone%22"`) {
			t.Errorf("%s: %d\n%s", target, got.Code, got.Body)
		}
	}
}

func TestFilesOfAPlacement(t *testing.T) {
	for name, c := range map[string]struct {
		store Store
		path  string
		want  []string
	}{
		"files": {
			fixedFiles{Files{Store: "GitStateStore default", Revision: "5d6e7f8", Left: 3, Files: []File{{Path: "worker-1/a.yaml", Size: 9, Content: "kind: A\n", Cut: true}, {Path: "worker-1/b.yaml", Withheld: "it is binary"}}}},
			"/placement?work=default/a&destination=worker-1",
			[]string{"kind: A", "worker-1/a.yaml", "The rest is not shown", "it is binary", "3 more files", "5d6e7f8"},
		},
		"broken":   {brokenFiles{}, "/placement?work=default/a&destination=worker-1", []string{"the store does not answer"}},
		"no store": {nil, "/placement?work=default/a&destination=worker-1", []string{"this process reads no state store"}},
		"unplaced": {brokenFiles{}, "/placement?work=default/d", []string{"the group is not placed", "lack env=prod"}},
	} {
		s := siteOf(sample())
		s.Store = c.store
		body := get(handler(s), c.path).Body.String()
		for _, text := range c.want {
			if !strings.Contains(body, text) {
				t.Errorf("%s: it lacks %q", name, text)
			}
		}
	}
}

func TestDestinationsChosenByKratixAreNotExplained(t *testing.T) {
	r := sample()
	r.Assigned = true
	body := get(handler(siteOf(r)), "/placement?work=default/a&destination=worker-1").Body.String()
	if !strings.Contains(body, "this process has not chosen the Destination") {
		t.Error(body)
	}
}
