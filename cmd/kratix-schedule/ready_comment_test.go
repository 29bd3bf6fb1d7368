package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/comment/commenttest"
)

type commenting struct {
	exampleDir
	forge        *commenttest.Forge
	script       string
	env          []string
	warning, off string
}

func (c commenting) run(t *testing.T, number int, env ...string) (output string, status int) {
	t.Helper()
	variables, event := c.forge.Environment(number)
	c.file(t, "event.json", event)
	all := append([]string{}, c.env...)
	for name, value := range variables {
		if name != "KRATIX_SCHEDULE_COMMENT_TOKEN" || c.warning == gitLabWarning {
			all = append(all, name+"="+value)
		}
	}
	return c.shell(t, c.script, append(append(all, "GITHUB_EVENT_PATH="+c.dir+"/event.json"), env...)...)
}

const (
	gitHubWarning = "::warning::the result is not in a comment of the pull request: kratix-schedule: comment: "
	gitLabWarning = "kratix-schedule: warning: the result is not in a comment of the merge request"
)

func commentings(t *testing.T) map[string]commenting {
	t.Helper()
	action := commenting{exampleDir: newExampleDir(t), forge: commenttest.NewGitHub(t), warning: gitHubWarning, off: "INPUT_COMMENT=false"}
	_, action.script, action.env = readAction(t, action.exampleDir, map[string]string{"paths": "testdata/elastic-cloud", "token": commenttest.Token})
	template := commenting{exampleDir: newExampleDir(t), forge: commenttest.NewGitLab(t), warning: gitLabWarning, off: "KRATIX_SCHEDULE_COMMENT=false"}
	_, template.script, template.env = readTemplate(t)
	template.env = append(template.env, "KRATIX_SCHEDULE_PATHS=testdata/elastic-cloud")
	return map[string]commenting{"action": action, "template": template}
}

func TestScriptsPostOneComment(t *testing.T) {
	for name, c := range commentings(t) {
		for number, ignored := range map[int]string{1: "KS002", 2: "KS001"} { // in any order, the newer run's text remains
			output, status := c.run(t, number, "KRATIX_SCHEDULE_IGNORE="+ignored)
			if status != map[string]int{"KS002": exitFindings, "KS001": exitClean}[ignored] || !strings.Contains(output, " the comment 1\n") || strings.Contains(output, commenttest.Token) {
				t.Errorf("%s: status %d: %s", name, status, output)
			}
		}
		comments := c.forge.Comments()
		if len(comments) != 1 || !strings.Contains(comments[0].Body, "<!-- run 2 -->\n### kratix-schedule: 2 placed") || !strings.Contains(comments[0].Body, "8 ignored") {
			t.Errorf("%s: %+v", name, comments)
		}
	}
}

func TestFailureToCommentChangesNothing(t *testing.T) {
	for name, c := range commentings(t) {
		for _, refused := range []int{http.StatusForbidden, http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			c.forge.Refuse = func(r *http.Request, _ http.Header) int {
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "s") {
					return refused
				}
				return 0
			}
			for _, want := range []int{exitFindings, exitClean} {
				output, status := c.run(t, 1, "KRATIX_SCHEDULE_FAIL_ON="+map[int]string{exitFindings: "error", exitClean: "none"}[want])
				if status != want || !strings.Contains(output, c.warning) || !strings.Contains(output, "refused \\x1b[31mfor\\ntests") || strings.Contains(output, commenttest.Token) {
					t.Errorf("%s: status %d: %s", name, status, output)
				}
			}
		}
		if len(c.forge.Comments()) > 0 {
			t.Errorf("%s: %+v", name, c.forge.Comments())
		}
	}
}

func TestCommentCanBeTurnedOff(t *testing.T) {
	for name, c := range commentings(t) {
		if output, status := c.run(t, 1, c.off); status != exitFindings || strings.Contains(output, "comment") {
			t.Errorf("%s: status %d: %s", name, status, output)
		}
		if calls := c.forge.Calls(); len(calls) > 0 {
			t.Errorf("%s: %q", name, calls)
		}
	}
	w := newExampleDir(t)
	_, script, env := readAction(t, w, map[string]string{"paths": "testdata/elastic-cloud", "comment": "yes"})
	if output, status := w.shell(t, script, env...); status != exitFindings || !strings.Contains(output, "::warning::the input comment is neither true nor false") {
		t.Errorf("status %d: %s", status, output)
	}
}

func TestOnlyTheCommentGetsTheToken(t *testing.T) {
	c := commentings(t)["action"]
	program := c.read(t, "bin/kratix-schedule")
	c.file(t, "bin/kratix-schedule", strings.Replace(program, "\n", "\nenv | grep -q "+commenttest.Token+" && echo \"$1 has the token\"\ncase \"$*\" in *"+commenttest.Token+"*) echo argument ;; esac\n", 1))
	output, status := c.run(t, 1)
	if status != exitFindings || !strings.Contains(output, "comment has the token") || strings.Contains(output, "validate has the token") || strings.Contains(output, "argument\n") {
		t.Errorf("status %d: %s", status, output)
	}
}

func TestTemplateRunsInMergeRequests(t *testing.T) {
	job, _, _ := readTemplate(t)
	if len(job.Rules) != 3 || !strings.Contains(job.Rules[0].If, "merge_request_event") || job.Rules[1].When != "never" {
		t.Errorf("%+v", job.Rules)
	}
}
