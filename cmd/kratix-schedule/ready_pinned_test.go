package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var pinnedUse = regexp.MustCompile(`^\s*-? ?uses: [\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v[0-9]+\.[0-9]+\.[0-9]+$`)

var pinnedImage = regexp.MustCompile(`^[\w./-]+:[\w.-]+@sha256:[0-9a-f]{64}$`)

// imageKeys are the keys of a workflow whose values are images.
var imageKeys = map[string]bool{"image:": true, "BUILDKIT:": true, "SCANNER:": true}

func unpinned(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		words := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "- "))
		switch {
		case len(words) < 2:
		case words[0] == "uses:" && !pinnedUse.MatchString(line):
			lines = append(lines, line)
		case imageKeys[words[0]] && !pinnedImage.MatchString(words[1]):
			lines = append(lines, line)
		case words[0] == "FROM":
			image := strings.Fields(strings.Replace(line, "--platform=$BUILDPLATFORM ", "", 1))[1]
			if image != "scratch" && !pinnedImage.MatchString(image) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

func TestUnpinnedIsFound(t *testing.T) {
	digest := strings.Repeat("0", 64)
	for line, pinned := range map[string]bool{
		"      - uses: actions/checkout@" + digest[:40] + " # v5.0.0": true,
		"        uses: a/b/c@" + digest[:40] + " # v5.0.0":            true,
		"      - uses: actions/checkout@" + digest[:40]:               false,
		"      - uses: actions/checkout@" + digest[:39] + " # v5.0.0": false,
		"      - uses: actions/checkout@v5":                           false,
		"  image: golang:1.26@sha256:" + digest:                       true,
		"  image: golang:1.26":                                        false,
		"      BUILDKIT: moby/buildkit:v1@sha256:" + digest:           true,
		"      SCANNER: docker/scanner:stable-1":                      false,
		"FROM --platform=$BUILDPLATFORM golang:1.26 AS build":         false,
		"FROM golang:1.26@sha256:" + digest + " AS build":             true,
		"FROM scratch": true,
	} {
		if (len(unpinned(line+"\n")) == 0) != pinned {
			t.Errorf("%s: %t", line, !pinned)
		}
	}
}

func TestActionsAndImagesArePinned(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range append(files, "../../action.yml", "../../templates/gitlab-ci.yml", "../../Dockerfile") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range unpinned(string(text)) {
			t.Errorf("%s: %s", file, line)
		}
	}
}

type workflow struct {
	Permissions map[string]string
	Jobs        map[string]struct {
		Permissions map[string]string
		Steps       []struct{ Run string }
	}
}

func TestWorkflowsHaveTheFewestRights(t *testing.T) {
	files, err := filepath.Glob("../../.github/workflows/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		var flow workflow
		decode(t, file, &flow)
		if flow.Permissions == nil || len(flow.Permissions) > 0 {
			t.Errorf("%s: its permissions are %v, not {}", file, flow.Permissions)
		}
		for name, job := range flow.Jobs {
			if len(job.Permissions) == 0 {
				t.Errorf("%s: the job %s names no permissions", file, name)
			}
			for _, step := range job.Steps {
				if strings.Contains(step.Run, "${{") {
					t.Errorf("%s: an expression in a script can be a command: %s", file, step.Run)
				}
				check := exec.CommandContext(t.Context(), "bash", "-n")
				check.Stdin = strings.NewReader(step.Run)
				if output, err := check.CombinedOutput(); err != nil {
					t.Errorf("%s: %s: %s", file, step.Run, output)
				}
			}
		}
	}
}
