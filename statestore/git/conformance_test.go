package git_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestLocalStoreConforms(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		repository := gittest.Bare(t)
		return fixture(t, repository, git.Config{URL: "file://" + repository})
	})
}

func TestStoreInASubdirectoryConforms(t *testing.T) {
	testkit.Slow(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		repository := gittest.Bare(t)
		return fixture(t, repository, git.Config{URL: repository, Path: "/clusters/prod/"})
	})
}

func TestHTTPSStoreConforms(t *testing.T) {
	testkit.Slow(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		repository := gittest.Bare(t)
		return fixture(t, repository, served(t, repository))
	})
}

func fixture(t *testing.T, repository string, config git.Config) storetest.Fixture {
	t.Cleanup(func() { gittest.Fsck(t, repository) })
	return storetest.Fixture{
		Store:  open(t, config),
		Reopen: func() statestore.Store { return open(t, config) },
		Refuse: func(t *testing.T) map[string]string {
			gittest.Hook(t, repository, "pre-receive", keyHook)
			return map[string]string{"resources/one": "key: AKIA0123456789ABCDEF", "resources/two": "key: AKIAFEDCBA9876543210"}
		},
	}
}

const keyHook = `while read -r old new ref; do
  bad=$(git grep -l 'AKIA[0-9A-Z]\{16\}' "$new" | head -1)
  [ -z "$bad" ] || { echo "push protection: $bad holds a key" >&2; exit 1; }
done
`

func served(t testing.TB, repository string, settings ...string) git.Config {
	t.Helper()
	server := gittest.Serve(t, filepath.Dir(repository), settings...)
	return git.Config{
		URL:      server.URL + "/" + filepath.Base(repository),
		Auth:     git.Auth{Username: gittest.User, Password: gittest.Password},
		CABundle: server.CA,
	}
}

func open(t testing.TB, config git.Config) *git.Store {
	t.Helper()
	config.Name = "GitStateStore default"
	config.Now = func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }
	store, err := git.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func parent(path string) string { return filepath.Dir(path) }
