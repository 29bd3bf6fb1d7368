package kustomize

import (
	"strings"
	"testing"

	"github.com/fluxcd/pkg/sourceignore"
)

func FuzzDefaultIgnores(f *testing.F) {
	for _, path := range []string{
		"a/b.yaml", ".git/config", "a/.git/x", "a/.git", ".gitignore", ".gitignore/x", "a/b.jpg", "b.jpg/c.yaml", ".jpg", "a.tar.gz", "a.gz",
		".github/x.yaml", ".github", "x/.goreleaser.yml", ".sops.yaml", ".flux.yaml/x", "cloudbuild.yaml", "a/cloudbuild.yaml/b.yaml", "jpg", "x.JPG",
	} {
		f.Add(path)
	}
	matcher, defaults := sourceignore.NewDefaultMatcher(nil, nil), newDefaultIgnores()
	f.Fuzz(func(t *testing.T, path string) {
		if want, has := matcher.Match(strings.Split(path, "/"), false), defaults.has(path); has != want {
			t.Fatalf("%q: %t, and %t by the library", path, has, want)
		}
	})
}

func BenchmarkDefaultIgnores(b *testing.B) {
	const path = "worker-1/resources/default/postgresql/request-1/instance/5058f/database.yaml"
	b.Run("own", func(b *testing.B) {
		defaults := newDefaultIgnores()
		for b.Loop() {
			defaults.has(path)
		}
	})
	b.Run("library", func(b *testing.B) {
		matcher := sourceignore.NewDefaultMatcher(nil, nil)
		for b.Loop() {
			matcher.Match(strings.Split(path, "/"), false)
		}
	})
}
