// Package judge builds the roots of Destinations with Flux's own library, at every commit of a
// repository.
package judge

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"
	"sync"

	fluxkustomize "github.com/fluxcd/pkg/kustomize"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Refusal is a root that Flux cannot build at a commit.
type Refusal struct{ Commit, Subject, Root, Message string }

// String returns the refusal in one line.
func (r Refusal) String() string {
	return fmt.Sprintf("%.10s (%s) %s: %s", r.Commit, r.Subject, r.Root, r.Message)
}

// Roots returns the directories that Flux builds for a Destination with a directory and a filepath
// mode.
func Roots(dir, mode string) []string {
	if mode == "" || mode == kratix.NestedByMetadata {
		return []string{path.Join(dir, "dependencies"), path.Join(dir, "resources")}
	}
	return []string{path.Clean(dir)}
}

// Verdict is the result of Walk.
type Verdict struct {
	// Commits is the number of commits of the branch. Built is the number of different trees that
	// the Judge has built so far.
	Commits, Built int
	Refusals       []Refusal
}

// Judge builds the trees of one repository, and caches the results.
type Judge struct {
	repository string
	built      map[string]string
}

// New returns a Judge for a bare repository.
func New(repository string) *Judge { return &Judge{repository: repository, built: map[string]string{}} }

// Walk builds the roots at every commit of a branch, from the oldest to the newest. It skips roots
// that do not exist at a commit.
func (j *Judge) Walk(ctx context.Context, branch string, roots ...string) (Verdict, error) {
	log, err := j.git(ctx, "log", "--reverse", "--format=%H %s", "refs/heads/"+branch)
	if err != nil {
		return Verdict{}, err
	}
	var verdict Verdict
	for line := range strings.Lines(string(log)) {
		commit, subject, _ := strings.Cut(strings.TrimSpace(line), " ")
		verdict.Commits++
		trees, err := j.trees(ctx, commit, roots)
		if err != nil {
			return Verdict{}, err
		}
		for _, root := range roots {
			if trees[root] == "" {
				continue
			}
			message, err := j.refusal(ctx, trees[root])
			if err != nil {
				return Verdict{}, err
			}
			if message != "" {
				verdict.Refusals = append(verdict.Refusals, Refusal{commit, subject, root, message})
			}
		}
	}
	verdict.Built = len(j.built)
	return verdict, nil
}

func (j *Judge) trees(ctx context.Context, commit string, roots []string) (map[string]string, error) {
	trees := map[string]string{}
	var asked []string
	for _, root := range roots {
		if root == "." {
			root = ""
		}
		asked = append(asked, commit+":"+root)
	}
	answer, err := j.gitWith(ctx, strings.Join(asked, "\n")+"\n", "cat-file", "--batch-check=%(objectname) %(objecttype)")
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(strings.TrimSpace(string(answer)), "\n") {
		if id, kind, _ := strings.Cut(line, " "); kind == "tree" {
			trees[roots[i]] = id
		}
	}
	return trees, nil
}

func (j *Judge) refusal(ctx context.Context, tree string) (string, error) {
	if message, ok := j.built[tree]; ok {
		return message, nil
	}
	dir, err := os.MkdirTemp("", "judge-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a directory of temporary files
	if err := j.extract(ctx, tree, dir); err != nil {
		return "", err
	}
	message := ""
	if err := build(dir); err != nil {
		message = strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), dir, "")), " ")
	}
	j.built[tree] = message
	return message, nil
}

// building serializes builds, because kustomize has one schema for the whole process.
var building sync.Mutex

func build(dir string) error {
	building.Lock()
	defer building.Unlock()
	if _, err := fluxkustomize.NewGenerator(dir, unstructured.Unstructured{}).WriteFile(dir); err != nil {
		return err
	}
	resources, err := fluxkustomize.SecureBuild(dir, dir, false)
	if err == nil {
		_, err = resources.AsYaml()
	}
	if err != nil {
		return fmt.Errorf("kustomize build failed: %w", err)
	}
	return nil
}
