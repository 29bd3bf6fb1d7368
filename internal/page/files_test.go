package page

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// fixedFiles is a Store with the same files for each placement.
type fixedFiles struct{ files Files }

func (f fixedFiles) Files(context.Context, Wanted) (Files, error) {
	return f.files, nil
}

// brokenFiles is a Store that cannot be read.
type brokenFiles struct{}

func (brokenFiles) Files(context.Context, Wanted) (Files, error) {
	return Files{}, errors.New("the store does not answer")
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
