package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestColoursAreForTerminalsOnly(t *testing.T) {
	// A character device stands for a terminal.
	device, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = device.Close() }()
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	if !colours(device) || colours(file) || colours(&strings.Builder{}) {
		t.Errorf("device %t, file %t", colours(device), colours(file))
	}
	t.Setenv("TERM", "dumb")
	if colours(device) {
		t.Error("a dumb terminal is coloured")
	}
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "1")
	if colours(device) {
		t.Error("NO_COLOR is not honoured")
	}
}

func TestProgressIsShownLateAndWipedAway(t *testing.T) {
	quick := &progress{out: &tee{}, ended: make(chan struct{}), done: make(chan struct{})}
	go quick.show(time.Hour, time.Hour)
	quick.stop()
	if said := quick.out.(*tee).String(); said != "" { //nolint:errcheck // the test created it
		t.Errorf("what is quick says %q", said)
	}

	out := &tee{}
	slow := &progress{out: out, ended: make(chan struct{}), done: make(chan struct{})}
	slow.works.Store(5000)
	go slow.show(0, time.Millisecond)
	waitForOutput(t, out, "checking 5000 Works")
	slow.stop()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("it ends with %q", out.String())
	}
	if width := len(slow.bar(3)); width != len(slow.bar(40)) {
		t.Error("the bar changes its width")
	}
	startProgress(&tee{}).stop()
}

func TestTheBranchOfARepository(t *testing.T) {
	for repo, want := range map[string][2]string{
		"https://host/repo.git":                   {"https://host/repo.git", ""},
		"https://host/repo.git@main":              {"https://host/repo.git", "main"},
		"https://user:word@host/repo.git":         {"https://user:word@host/repo.git", ""},
		"https://user:word@host/repo@feature/one": {"https://user:word@host/repo", "feature/one"},
		"git@host:team/repo.git":                  {"git@host:team/repo.git", ""},
		"git@host:team/repo.git@main":             {"git@host:team/repo.git", "main"},
		"/srv/repo.git@main":                      {"/srv/repo.git", "main"},
		"file:///srv/repo.git@main":               {"file:///srv/repo.git", "main"},
	} {
		if url, branch := splitBranch(repo); url != want[0] || branch != want[1] {
			t.Errorf("%s is taken for %s and %s", repo, url, branch)
		}
	}
}

func TestOwnerOfFile(t *testing.T) {
	for path, want := range map[string]string{
		"worker-1/resources/team/redis/cache/instance/5058f/x.yaml": "request team/cache of Promise redis",
		"resources/team/redis/cache/5058f/x.yaml":                   "request team/cache of Promise redis",
		"worker-1/dependencies/redis/5058f/static/x.yaml":           "Promise redis",
		"worker-1/dependencies/kratix-canary-namespace.yaml":        "a file that belongs to no placement",
		"worker-1/resources/x.yaml":                                 "a file that belongs to no placement",
	} {
		if got := ownerOf(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}
