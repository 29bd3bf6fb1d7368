package git_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestServerWithAFullDisk(t *testing.T) {
	repository := gittest.Bare(t)
	store := open(t, served(t, repository))
	storetest.Write(t, store, map[string]string{"a": "1"})
	base := storetest.Read(t, store).Revision
	server := gittest.ServeTLS(t, gittest.FullBackend(t, filepath.Dir(repository)))
	config := served(t, repository)
	config.URL, config.CABundle = server.URL+"/"+filepath.Base(repository), server.CA
	full := open(t, config)
	storetest.Holds(t, full, map[string]string{"a": "1"})
	for range 3 {
		_, err := full.Apply(t.Context(), statestore.ChangeSet{Base: base, Write: testkit.Files(map[string]string{"b": strings.Repeat("long ", 1000)})})
		told := wantError(t, err, statestore.ErrUnavailable)
		if !strings.Contains(told.Remote, "File too large") {
			t.Errorf("the server's words are missing: %v, remote %q", err, told.Remote)
		}
	}
	gittest.Fsck(t, repository)
	storetest.Holds(t, full, map[string]string{"a": "1"})
	storetest.Write(t, store, map[string]string{"b": "2"})
}
