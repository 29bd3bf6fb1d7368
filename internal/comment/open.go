package comment

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

// TokenVariable is the environment variable with the token. There is no flag for the token, because
// other processes can read arguments.
const TokenVariable = "KRATIX_SCHEDULE_COMMENT_TOKEN" //nolint:gosec // the name of a variable

var (
	// ErrNoPullRequest means that the run is not about a pull request.
	ErrNoPullRequest = errors.New("this run is not about a pull request or merge request")
	// ErrNoToken means that there is no token.
	ErrNoToken = errors.New(TokenVariable + " is empty: set it to a token that may write comments")
)

// Environment is the environment of a CI run.
type Environment struct {
	// Get returns an environment variable.
	Get func(name string) string
	// ReadFile returns the content of a file that a variable names.
	ReadFile func(name string) ([]byte, error)
	// Transport makes the HTTP requests.
	Transport http.RoundTripper
	// UserAgent is sent to the server.
	UserAgent string
}

var repositoryName = regexp.MustCompile(`^[A-Za-z0-9_-]+/(?:[A-Za-z0-9_-]|\.+[A-Za-z0-9_-])[A-Za-z0-9_.-]*$`)

// Open returns the pull request that a run is about, and the run. The error may be ErrNoPullRequest
// or ErrNoToken.
func Open(env Environment) (Thread, Run, error) {
	switch {
	case env.Get("GITHUB_ACTIONS") == "true":
		return openGitHub(env)
	case env.Get("GITLAB_CI") == "true":
		return openGitLab(env)
	}
	return nil, 0, ErrNoPullRequest
}

func openGitHub(env Environment) (Thread, Run, error) {
	path := env.Get("GITHUB_EVENT_PATH")
	if path == "" {
		return nil, 0, errors.New("GITHUB_EVENT_PATH is not set; GitHub Actions sets it to the file with the event")
	}
	content, err := env.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	var event struct {
		PullRequest struct{ Number int64 } `json:"pull_request"`
		Issue       struct {
			Number      int64
			PullRequest *struct{} `json:"pull_request"`
		}
	}
	if err := json.Unmarshal(content, &event); err != nil {
		return nil, 0, errors.New("the event in GITHUB_EVENT_PATH is not valid JSON")
	}
	number := event.PullRequest.Number
	if number == 0 && event.Issue.PullRequest != nil {
		number = event.Issue.Number
	}
	if number <= 0 {
		return nil, 0, ErrNoPullRequest
	}
	repository, base, graphQL := env.Get("GITHUB_REPOSITORY"), env.Get("GITHUB_API_URL"), env.Get("GITHUB_GRAPHQL_URL")
	if err := notSet("GitHub Actions", []variable{
		{"GITHUB_REPOSITORY", repositoryName.MatchString(repository)}, {"GITHUB_API_URL", base != ""}, {"GITHUB_GRAPHQL_URL", graphQL != ""},
	}); err != nil {
		return nil, 0, err
	}
	token := env.Get(TokenVariable)
	if token == "" {
		return nil, 0, ErrNoToken
	}
	header := http.Header{
		"Authorization": {"Bearer " + token}, "User-Agent": {env.UserAgent},
		"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"},
	}
	return gitHub{newClient(env.Transport, base, header), graphQL, repository, number}, ParseRun(env.Get("GITHUB_RUN_ID")), nil
}

func openGitLab(env Environment) (Thread, Run, error) {
	if env.Get("CI_MERGE_REQUEST_IID") == "" {
		return nil, 0, ErrNoPullRequest
	}
	number, wrongNumber := strconv.ParseInt(env.Get("CI_MERGE_REQUEST_IID"), 10, 64)
	project, wrongProject := strconv.ParseInt(env.Get("CI_MERGE_REQUEST_PROJECT_ID"), 10, 64)
	base := env.Get("CI_API_V4_URL")
	if err := notSet("GitLab", []variable{
		{"CI_MERGE_REQUEST_IID", wrongNumber == nil}, {"CI_MERGE_REQUEST_PROJECT_ID", wrongProject == nil}, {"CI_API_V4_URL", base != ""},
	}); err != nil {
		return nil, 0, err
	}
	token := env.Get(TokenVariable)
	if token == "" {
		return nil, 0, ErrNoToken
	}
	header := http.Header{"Private-Token": {token}, "User-Agent": {env.UserAgent}, "Accept": {"application/json"}}
	return gitLab{newClient(env.Transport, base, header), project, number}, ParseRun(env.Get("CI_PIPELINE_ID")), nil
}

type variable struct {
	name    string
	isValid bool
}

// notSet returns an error that names the variables that are not valid, or nil.
func notSet(by string, variables []variable) error {
	var names []string
	for _, v := range variables {
		if !v.isValid {
			names = append(names, v.name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("set %s as %s does", strings.Join(names, " and "), by)
}
