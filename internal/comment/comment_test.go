package comment_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/comment"
	"github.com/kratix-schedule/kratix-schedule/internal/comment/commenttest"
)

const (
	marker = "<!-- kratix-schedule checked -->"
	report = marker + "\n### kratix-schedule: no findings\n"
)

func forges(t *testing.T, comments ...commenttest.Comment) map[string]*commenttest.Forge {
	t.Helper()
	return map[string]*commenttest.Forge{"GitHub": commenttest.NewGitHub(t, comments...), "GitLab": commenttest.NewGitLab(t, comments...)}
}

func open(t *testing.T, forge *commenttest.Forge, run int, changed ...string) (comment.Thread, comment.Run, error) {
	t.Helper()
	variables, event := forge.Environment(run)
	for i := 0; i+1 < len(changed); i += 2 {
		variables[changed[i]] = changed[i+1]
	}
	if given, ok := variables["EVENT"]; ok {
		event = given
	}
	return comment.Open(comment.Environment{
		Get:      func(name string) string { return variables[name] },
		ReadFile: func(string) ([]byte, error) { return []byte(event), nil },
	})
}

func post(t *testing.T, forge *commenttest.Forge, run int, report, name string) (comment.Outcome, error) {
	t.Helper()
	thread, number, err := open(t, forge, run)
	if err != nil {
		t.Fatal(err)
	}
	text, err := comment.NewText(report, name, number)
	if err != nil {
		t.Fatal(err)
	}
	return comment.Post(t.Context(), thread, text)
}

func TestCommentIsReplaced(t *testing.T) {
	for name, forge := range forges(t, commenttest.Foreign("hello"), commenttest.Foreign(report), commenttest.Own("mine, but something else")) {
		before := forge.Comments()
		for run, want := range []string{"created", "replaced", "replaced"} {
			outcome, err := post(t, forge, run+1, report+strconv.Itoa(run), "")
			if err != nil || outcome.Did != want {
				t.Errorf("%s, run %d: %+v, %v", name, run, outcome, err)
			}
		}
		after := forge.Comments()
		if len(after) != len(before)+1 || after[3].Body != marker+"\n<!-- run 3 -->\n### kratix-schedule: no findings\n2" {
			t.Errorf("%s: %+v", name, after)
		}
		for i := range before {
			if before[i] != after[i] {
				t.Errorf("%s: %+v is changed", name, after[i])
			}
		}
	}
}

func TestUnchangedCommentIsNotWritten(t *testing.T) {
	for name, forge := range forges(t, commenttest.Own(strings.ReplaceAll(marker+"\n<!-- run 5 -->\n### kratix-schedule: no findings", "\n", "\r\n"))) {
		if outcome, err := post(t, forge, 5, report, ""); err != nil || outcome.Did != "replaced" {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
		for _, call := range forge.Calls() {
			if strings.HasPrefix(call, "PATCH") || strings.HasPrefix(call, "PUT") {
				t.Errorf("%s: %s", name, call)
			}
		}
	}
}

func TestNamesDistinguishComments(t *testing.T) {
	for name, forge := range forges(t) {
		for _, named := range []string{"", "works", "store", "works"} {
			if _, err := post(t, forge, 1, report, named); err != nil {
				t.Error(name, err)
			}
		}
		if after := forge.Comments(); len(after) != 3 || !strings.HasPrefix(after[1].Body, "<!-- kratix-schedule checked works -->\n") {
			t.Errorf("%s: %+v", name, after)
		}
	}
}

func TestNewerRunsCommentStays(t *testing.T) {
	for name, forge := range forges(t) {
		if outcome, err := post(t, forge, 9, report+"new", ""); err != nil || outcome.Did != "created" {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
		if outcome, err := post(t, forge, 8, report+"old", ""); err != nil || outcome.Did != "kept" {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
		if after := forge.Comments(); len(after) != 1 || !strings.HasSuffix(after[0].Body, "new") {
			t.Errorf("%s: %+v", name, after)
		}
	}
}

func TestRacingRunsLeaveOneComment(t *testing.T) {
	const runs = 8
	for name, forge := range forges(t) {
		var reads sync.WaitGroup
		reads.Add(runs)
		var mutex sync.Mutex
		waited := 0
		forge.Refuse = func(r *http.Request, _ http.Header) int {
			if r.Method != http.MethodPost || strings.HasSuffix(r.URL.Path, "/graphql") {
				return 0
			}
			mutex.Lock()
			waited++
			first := waited <= runs
			mutex.Unlock()
			if first {
				reads.Done()
				reads.Wait()
			}
			return 0
		}
		var posts sync.WaitGroup
		for run := range runs {
			posts.Go(func() {
				if _, err := post(t, forge, run+1, report+strconv.Itoa(run+1), ""); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
		posts.Wait()
		if after := forge.Comments(); len(after) != 1 {
			t.Errorf("%s: %+v", name, after)
		}
	}
}

func TestDuplicatesAreMerged(t *testing.T) {
	for name, forge := range forges(t, commenttest.Own(marker+"\n<!-- run 1 -->\na"), commenttest.Foreign(report), commenttest.Own(marker+"\n<!-- run 3 -->\nb")) {
		if outcome, err := post(t, forge, 2, report, ""); err != nil || outcome.Did != "kept" || outcome.ID != 1 {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
		if after := forge.Comments(); len(after) != 2 || !strings.HasSuffix(after[0].Body, "\nb") {
			t.Errorf("%s: %+v", name, after)
		}
	}
}

func TestDeletedCommentIsCreatedAgain(t *testing.T) {
	for name, forge := range forges(t, commenttest.Own(report)) {
		forge.Refuse = func(r *http.Request, _ http.Header) int {
			if isReplacement(r) {
				forge.Remove(1)
			}
			return 0
		}
		if outcome, err := post(t, forge, 1, report+"x", ""); err != nil || outcome.Did != "created" || len(forge.Comments()) != 1 {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	for name, forge := range forges(t, commenttest.Own(report)) {
		attempts := 0
		forge.Refuse = func(r *http.Request, _ http.Header) int {
			if isReplacement(r) {
				attempts++
				return http.StatusNotFound
			}
			return 0
		}
		_, err := post(t, forge, 1, report+"x", "")
		if err == nil || !strings.Contains(err.Error(), "the comment to replace is gone") || attempts != 3 {
			t.Errorf("%s: %d attempts: %v", name, attempts, err)
		}
	}
}

func isReplacement(r *http.Request) bool {
	return r.Method == http.MethodPatch || r.Method == http.MethodPut
}

func TestCommentOnALaterPageIsFound(t *testing.T) {
	for name, forge := range forges(t) {
		for range 250 {
			forge.Add(commenttest.Foreign("hello"))
		}
		own := forge.Add(commenttest.Own(report))
		if outcome, err := post(t, forge, 1, report, ""); err != nil || outcome.ID != own.ID {
			t.Errorf("%s: %+v, %v", name, outcome, err)
		}
	}
}

func TestPagesAreBounded(t *testing.T) {
	for name, forge := range forges(t) {
		for range 5_001 {
			forge.Add(commenttest.Foreign(""))
		}
		_, err := post(t, forge, 1, report, "")
		if err == nil || err.Error() != "there are more than 5000 comments" {
			t.Errorf("%s: %v", name, err)
		}
		if calls := len(forge.Calls()); calls != 51 {
			t.Errorf("%s: %d calls", name, calls)
		}
	}
}

func TestRefusalsAreExplained(t *testing.T) {
	for _, refusal := range []struct {
		method string
		status int
		header map[string]string
		want   string
	}{
		{http.MethodPost, 403, nil, "on a pull request from a fork it never may"},
		{http.MethodPost, 403, map[string]string{"Retry-After": "60"}, "too many requests"},
		{http.MethodGet, 403, map[string]string{"X-RateLimit-Remaining": "0"}, "too many requests"},
		{http.MethodGet, 429, nil, "too many requests"},
		{http.MethodGet, 401, nil, "the token is not valid"},
		{http.MethodGet, 502, nil, "the next run tries again"},
		{http.MethodGet, 302, map[string]string{"Location": "/elsewhere"}, "status 302"},
		{http.MethodPost, 422, nil, "status 422"},
	} {
		for name, forge := range forges(t) {
			forge.Refuse = func(r *http.Request, header http.Header) int {
				if r.Method != refusal.method || strings.HasSuffix(r.URL.Path, "/graphql") {
					return 0
				}
				for key, value := range refusal.header {
					header.Set(key, value)
				}
				return refusal.status
			}
			_, err := post(t, forge, 1, report, "")
			if err == nil || !strings.Contains(err.Error(), refusal.want) || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), commenttest.Token) {
				t.Errorf("%s %+v: %v", name, refusal, err)
			}
			if strings.Contains(strings.Join(forge.Calls(), " "), "elsewhere") {
				t.Errorf("%s: a redirect was followed", name)
			}
		}
	}
}

func TestUnreachableServerIsReportedWithoutTheToken(t *testing.T) {
	for name, forge := range forges(t) {
		forge.Close()
		_, err := post(t, forge, 1, report, "")
		if err == nil || !strings.Contains(err.Error(), "the server cannot be reached") || strings.Contains(err.Error(), commenttest.Token) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRunsWithoutAPullRequest(t *testing.T) {
	gitHub, gitLab := commenttest.NewGitHub(t), commenttest.NewGitLab(t)
	for _, c := range []struct {
		forge   *commenttest.Forge
		changed []string
		want    string
	}{
		{gitHub, nil, ""},
		{gitHub, []string{"EVENT", `{"issue": {"number": 7, "pull_request": {}}}`}, ""},
		{gitHub, []string{"EVENT", `{"issue": {"number": 7}}`}, comment.ErrNoPullRequest.Error()},
		{gitHub, []string{"EVENT", `{}`}, comment.ErrNoPullRequest.Error()},
		{gitHub, []string{"EVENT", `{`}, "not valid JSON"},
		{gitHub, []string{"GITHUB_ACTIONS", ""}, comment.ErrNoPullRequest.Error()},
		{gitHub, []string{"GITHUB_REPOSITORY", "../x"}, "GITHUB_REPOSITORY"},
		{gitHub, []string{"GITHUB_REPOSITORY", "a/.."}, "GITHUB_REPOSITORY"},
		{gitHub, []string{"GITHUB_REPOSITORY", "a/b/c"}, "set GITHUB_REPOSITORY as GitHub Actions does"},
		{gitHub, []string{"GITHUB_API_URL", "", "GITHUB_GRAPHQL_URL", ""}, "set GITHUB_API_URL and GITHUB_GRAPHQL_URL as GitHub Actions does"},
		{gitHub, []string{"GITHUB_REPOSITORY", "acme/.github"}, ""},
		{gitHub, []string{comment.TokenVariable, ""}, comment.ErrNoToken.Error()},
		{gitLab, nil, ""},
		{gitLab, []string{"CI_MERGE_REQUEST_IID", ""}, comment.ErrNoPullRequest.Error()},
		{gitLab, []string{"CI_MERGE_REQUEST_IID", "7/../8"}, "set CI_MERGE_REQUEST_IID as GitLab does"},
		{gitLab, []string{"CI_MERGE_REQUEST_PROJECT_ID", "a/b"}, "set CI_MERGE_REQUEST_PROJECT_ID as GitLab does"},
		{gitLab, []string{comment.TokenVariable, ""}, comment.ErrNoToken.Error()},
	} {
		_, _, err := open(t, c.forge, 1, c.changed...)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v", c.changed, err)
		}
	}
}

func TestOnlyReportsAreTexts(t *testing.T) {
	for text, valid := range map[string]bool{
		report: true, "<!-- kratix-schedule planned -->\n": true, "<!-- kratix-schedule written -->\n": true, "<!-- kratix-schedule probed -->\n": true, "<!-- kratix-schedule seen -->\n": false, "": false, "hello\n" + report: false,
		"<!-- kratix-schedule checked --> <b>\n": false, report + strings.Repeat("x", comment.MaxReport): false,
	} {
		if _, err := comment.NewText(text, "", 1); (err == nil) != valid {
			t.Errorf("%.60q: %v", text, err)
		}
	}
	for name, valid := range map[string]bool{
		"works": true, "a-b.c_d": true, "-": false, "a--b": false, "a-": false, "a b": false, "a>": false, strings.Repeat("x", 63): true, strings.Repeat("x", 64): false,
	} {
		if _, err := comment.NewText(report, name, 1); (err == nil) != valid {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestLongestReportFits(t *testing.T) {
	text := report + strings.Repeat("é", 65_000-len(report))
	for name, forge := range forges(t) {
		if _, err := post(t, forge, 1, text, strings.Repeat("x", 63)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEventThatCannotBeRead(t *testing.T) {
	_, _, err := comment.Open(comment.Environment{
		Get:      func(string) string { return "true" },
		ReadFile: func(string) ([]byte, error) { return os.ReadFile(filepath.Join(t.TempDir(), "no")) },
	})
	if !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
