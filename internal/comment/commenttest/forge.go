// Package commenttest provides fakes of the APIs of GitHub and GitLab for comments.
package commenttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// The token that the fakes accept, the ID of its owner, and the number of the pull request.
const (
	Token  = "t0ken-not-to-be-shown"
	self   = 41
	number = 7
)

// Comment is a comment of the pull request.
type Comment struct {
	ID     int64
	Author int64
	Body   string
	System bool
}

// Forge is a fake server with one pull request.
type Forge struct {
	*httptest.Server
	// Refuse returns the status with which a request is refused, or 0 to accept it. It may be nil.
	Refuse func(r *http.Request, header http.Header) int

	t        *testing.T
	isGitLab bool
	mutex    sync.Mutex
	comments []Comment
	calls    []string
	next     int64
}

// NewGitHub starts a fake of GitHub.
func NewGitHub(t *testing.T, comments ...Comment) *Forge { return start(&Forge{t: t}, comments) }

// NewGitLab starts a fake of GitLab.
func NewGitLab(t *testing.T, comments ...Comment) *Forge {
	return start(&Forge{t: t, isGitLab: true}, comments)
}

func start(f *Forge, comments []Comment) *Forge {
	for _, c := range comments {
		f.Add(c)
	}
	f.Server = httptest.NewServer(f)
	f.t.Cleanup(f.Close)
	return f
}

// Own returns a comment by the owner of the token.
func Own(body string) Comment { return Comment{Author: self, Body: body} }

// Foreign returns a comment by another author.
func Foreign(body string) Comment { return Comment{Author: self + 1, Body: body} }

// Add adds a comment.
func (f *Forge) Add(c Comment) Comment {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.next++
	c.ID = f.next
	f.comments = append(f.comments, c)
	return c
}

// Remove removes a comment.
func (f *Forge) Remove(id int64) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.comments = slices.DeleteFunc(f.comments, func(c Comment) bool { return c.ID == id })
}

// Comments returns the existing comments.
func (f *Forge) Comments() []Comment {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return slices.Clone(f.comments)
}

// Calls returns the method and path of each request.
func (f *Forge) Calls() []string {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return slices.Clone(f.calls)
}

// Environment returns the environment variables and the content of the event file of a run.
func (f *Forge) Environment(run int) (variables map[string]string, event string) {
	if f.isGitLab {
		return map[string]string{
			"GITLAB_CI": "true", "CI_API_V4_URL": f.URL + "/api/v4", "CI_MERGE_REQUEST_IID": strconv.Itoa(number), "CI_MERGE_REQUEST_PROJECT_ID": "12",
			"CI_PIPELINE_ID": strconv.Itoa(run), "KRATIX_SCHEDULE_COMMENT_TOKEN": Token,
		}, ""
	}
	return map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_API_URL": f.URL, "GITHUB_GRAPHQL_URL": f.URL + "/graphql", "GITHUB_REPOSITORY": "acme/works", "GITHUB_EVENT_PATH": "event.json",
		"GITHUB_RUN_ID": strconv.Itoa(run), "KRATIX_SCHEDULE_COMMENT_TOKEN": Token,
	}, fmt.Sprintf(`{"action": "synchronize", "pull_request": {"number": %d}}`, number)
}

// ServeHTTP implements http.Handler.
func (f *Forge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mutex.Lock()
	f.calls = append(f.calls, r.Method+" "+r.URL.Path)
	f.mutex.Unlock()
	if f.Refuse != nil {
		if status := f.Refuse(r, w.Header()); status != 0 {
			f.answer(w, status, map[string]string{"message": "refused \x1b[31mfor\ntests"})
			return
		}
	}
	if r.Header.Get("Authorization") != "Bearer "+Token && r.Header.Get("Private-Token") != Token {
		f.answer(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
		return
	}
	if f.isGitLab {
		f.gitLab(w, r)
	} else {
		f.gitHub(w, r)
	}
}

var (
	gitHubComments = regexp.MustCompile(`^/repos/acme/works/issues/7/comments$`)
	gitHubComment  = regexp.MustCompile(`^/repos/acme/works/issues/comments/([0-9]+)$`)
	gitLabNotes    = regexp.MustCompile(`^/api/v4/projects/12/merge_requests/7/notes$`)
	gitLabNote     = regexp.MustCompile(`^/api/v4/projects/12/merge_requests/7/notes/([0-9]+)$`)
)

func (f *Forge) gitHub(w http.ResponseWriter, r *http.Request) {
	if r.Method+r.URL.Path == "POST/graphql" {
		var body struct{ Query string }
		f.decode(r, &body)
		if strings.Join(strings.Fields(body.Query), " ") != "query { viewer { databaseId } }" {
			f.t.Errorf("unexpected query %q", body.Query)
		}
		f.answer(w, http.StatusOK, map[string]any{"data": map[string]any{"viewer": map[string]any{"databaseId": self}}})
		return
	}
	f.serve(w, r, gitHubComments, gitHubComment, http.MethodPatch, 65_536)
}

func (f *Forge) gitLab(w http.ResponseWriter, r *http.Request) {
	if r.Method+r.URL.Path == "GET/api/v4/user" {
		f.answer(w, http.StatusOK, map[string]any{"id": self, "username": "project_12_bot"})
		return
	}
	f.serve(w, r, gitLabNotes, gitLabNote, http.MethodPut, 1_000_000)
}

func (f *Forge) serve(w http.ResponseWriter, r *http.Request, all, one *regexp.Regexp, replace string, longest int) {
	found := one.FindStringSubmatch(r.URL.Path)
	switch {
	case all.MatchString(r.URL.Path) && r.Method == http.MethodGet:
		f.list(w, r)
	case all.MatchString(r.URL.Path) && r.Method == http.MethodPost:
		if body, ok := f.body(w, r, longest); ok {
			f.answer(w, http.StatusCreated, f.encode(f.Add(Own(body))))
		}
	case found != nil && r.Method == replace:
		if body, ok := f.body(w, r, longest); ok {
			f.change(w, found[1], func(at int) { f.comments[at].Body = body }, http.StatusOK)
		}
	case found != nil && r.Method == http.MethodDelete:
		f.change(w, found[1], func(at int) { f.comments = slices.Delete(f.comments, at, at+1) }, http.StatusNoContent)
	default:
		f.t.Errorf("unexpected request %s %s", r.Method, r.URL)
		f.answer(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
	}
}

func (f *Forge) body(w http.ResponseWriter, r *http.Request, longest int) (string, bool) {
	var sent struct{ Body string }
	f.decode(r, &sent)
	if utf8.RuneCountInString(sent.Body) > longest {
		f.answer(w, http.StatusUnprocessableEntity, map[string]string{"message": "Body is too long"})
		return "", false
	}
	return sent.Body, true
}

func (f *Forge) change(w http.ResponseWriter, id string, do func(at int), status int) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	at := slices.IndexFunc(f.comments, func(c Comment) bool { return strconv.FormatInt(c.ID, 10) == id })
	if at < 0 {
		f.answer(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
		return
	}
	if f.comments[at].Author != self {
		f.t.Errorf("the comment %s of another author is changed", id)
	}
	c := f.comments[at]
	do(at)
	if status == http.StatusNoContent {
		w.WriteHeader(status)
		return
	}
	f.answer(w, status, f.encode(c))
}

func (f *Forge) list(w http.ResponseWriter, r *http.Request) {
	page, _ := strconv.Atoi(r.URL.Query().Get("page")) // 0 fails below
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	if page < 1 || size < 1 || size > 100 {
		f.t.Errorf("unexpected page: %s", r.URL)
		page, size = 1, 1
	}
	all := f.Comments()
	from, to := min(len(all), (page-1)*size), min(len(all), page*size)
	if to < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<%s%s?page=%d>; rel="next", <%s>; rel="last"`, f.URL, r.URL.Path, page+1, f.URL))
	}
	var encoded []any
	for _, c := range all[from:to] {
		encoded = append(encoded, f.encode(c))
	}
	f.answer(w, http.StatusOK, append([]any{}, encoded...))
}

func (f *Forge) encode(c Comment) any {
	author := map[string]any{"id": c.Author}
	if f.isGitLab {
		return map[string]any{"id": c.ID, "body": c.Body, "author": author, "system": c.System}
	}
	return map[string]any{"id": c.ID, "body": c.Body, "user": author, "node_id": "IC_" + strconv.FormatInt(c.ID, 10)}
}

func (f *Forge) decode(r *http.Request, into any) {
	if r.Header.Get("Content-Type") != "application/json" {
		f.t.Errorf("%s %s is not sent as JSON", r.Method, r.URL)
	}
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		f.t.Errorf("%s %s: %v", r.Method, r.URL, err)
	}
}

func (f *Forge) answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		f.t.Logf("answer: %v", err)
	}
}
