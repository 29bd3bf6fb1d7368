package kratix_test

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestStoresOfSameRepositoryHaveEqualLocations(t *testing.T) {
	git := func(url, branch string) string {
		storage, _ := kratix.StorageOf(kratix.StateStoreReference{}, &kratix.GitStateStore{Spec: kratix.GitStateStoreSpec{URL: url, Branch: branch}})
		return storage
	}
	const repository = "https://git.example.com/team/state"
	for _, same := range []string{
		"https://git.example.com/team/state.git", "https://git.example.com/team/state/", "https://Git.Example.com:443/team/state",
		"https://user:password@git.example.com/team//state.git", "git@git.example.com:team/state.git", "ssh://git@git.example.com:22/team/state",
	} {
		if git(same, "main") != git(repository, "") {
			t.Errorf("%s is %s, not %s", same, git(same, "main"), git(repository, ""))
		}
	}
	for _, other := range []string{
		"https://git.example.com:8443/team/state", "https://git.example.com/team/other", "https://example.com/team/state", "/team/state", "",
	} {
		if git(other, "main") == git(repository, "main") {
			t.Errorf("%s is taken for %s", other, repository)
		}
	}
	if git(repository, "dev") == git(repository, "main") {
		t.Error("two branches are taken for one")
	}
	if git("file:///srv/state.git", "") != git("/srv/state", "") || git("file://./state.git", "") != git("./state.git", "") {
		t.Error("a file URL is not its path")
	}
	bucket := func(endpoint, name string) string {
		storage, _ := kratix.StorageOf(kratix.StateStoreReference{}, &kratix.BucketStateStore{Spec: kratix.BucketStateStoreSpec{Endpoint: endpoint, BucketName: name}})
		return storage
	}
	if bucket("S3.example.com", "a") != bucket("s3.example.com", "a") || bucket("s3.example.com", "a") == bucket("s3.example.com", "b") {
		t.Error("buckets are mixed up")
	}
	plain := kratix.BucketStateStore{Spec: kratix.BucketStateStoreSpec{Endpoint: "s3.example.com:80", BucketName: "a", Insecure: true}}
	plainBucket, _ := kratix.StorageOf(kratix.StateStoreReference{}, &plain)
	if bucket("s3.example.com:443", "a") != bucket("s3.example.com", "a") || bucket("s3.example.com", "a") != plainBucket {
		t.Error("a default port makes another place")
	}
	if bucket("s3.example.com:80", "a") == bucket("s3.example.com", "a") || bucket("s3.example.com:9443", "a") == bucket("s3.example.com", "a") {
		t.Error("two ports are one place")
	}
}

func TestLocationIsIndependentOfSpelling(t *testing.T) {
	place := func(url, branch string) string {
		storage, _ := kratix.StorageOf(kratix.StateStoreReference{}, &kratix.GitStateStore{Spec: kratix.GitStateStoreSpec{URL: url, Branch: branch}})
		return storage
	}
	for _, spellings := range [][2]string{
		{"https://git.example.com/My%20Project/_git/x", "https://git.example.com/My Project/_git/x"},
		{"https://git.example.com/100%25/x", "https://user@git.example.com/%31%30%30%25/x.git"},
		{"git@[::1]:team/state.git", "ssh://git@[::1]:22/team/state"},
		{"[git@git.example.com:2222]:state", "ssh://git@git.example.com:2222/state"},
		{"file:///srv/state", "file://localhost/srv/state.git"},
	} {
		if a, b := place(spellings[0], "main"), place(spellings[1], "refs/heads/main"); a != b {
			t.Errorf("%s is %s, %s is %s", spellings[0], a, spellings[1], b)
		}
	}
	for _, others := range [][2]string{
		{"ssh://git@[::1]:2222/x", "ssh://git@[::1:2222]/x"}, {"https://git.example.com/a%2520b", "https://git.example.com/a%20b"}, {"./state", "/state"},
	} {
		if place(others[0], "") == place(others[1], "") {
			t.Errorf("%s is taken for %s", others[0], others[1])
		}
	}
}

func TestParseGitURL(t *testing.T) {
	for raw, want := range map[string]string{
		"https://u:p@example.com/a%25b":   "https://u:p@example.com/a%25b",
		"git@example.com:org/repo.git":    "ssh://git@example.com/org/repo.git",
		"example.com:repo":                "ssh://example.com/repo",
		"git@[::1]:org/repo":              "ssh://git@[::1]/org/repo",
		"[::1]:repo":                      "ssh://[::1]/repo",
		"[git@example.com:2222]:org/repo": "ssh://git@example.com:2222/org/repo",
		"/srv/state":                      "file:///srv/state",
		"../state":                        "file:../state",
		".":                               "file:.",
	} {
		parsed, err := kratix.ParseGitURL(raw)
		if err != nil || parsed.Scheme+":" != want[:len(parsed.Scheme)+1] {
			t.Errorf("%s: %v, %v", raw, parsed, err)
			continue
		}
		got := parsed.Scheme + "://"
		if parsed.User != nil {
			got += parsed.User.String() + "@"
		}
		got += parsed.Host + "/" + strings.TrimPrefix(parsed.EscapedPath(), "/")
		if parsed.Scheme == "file" {
			got = "file:" + parsed.Path
			want = strings.Replace(want, "file://", "file:", 1)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", raw, got, want)
		}
	}
	for raw, want := range map[string]string{
		"":                         "no URL",
		"github.com/org/repo":      "did you mean https://github.com/org/repo?",
		"user@github.com/org/repo": "did you mean https://github.com/org/repo?",
		"state.git":                "did you mean ./state.git?",
		"state":                    "did you mean ./state?",
		"https://example.com/a#b":  "write %23",
		"https://u:s3cret@x:y/z":   "the URL cannot be read",
		"git@[::1]":                "names no host or no path",
		"git@example.com:":         "names no host or no path",
		":path":                    "names no host or no path",
	} {
		if parsed, err := kratix.ParseGitURL(raw); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v, %v; want %q", raw, parsed, err, want)
		}
	}
}
