package git_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestContentRejectionsDifferFromOtherRejections(t *testing.T) {
	for name, c := range map[string]struct {
		hook, script string
		settings     []string
		file, text   string
		want         error
		words        string
	}{
		"a pre-receive hook that looks at files": {
			hook: "pre-receive", script: keyHook, file: "x", text: "AKIA0123456789ABCDEF",
			want: statestore.ErrContentRefused, words: "push protection: ",
		},
		"an update hook that looks at files": {
			hook: "update", script: "git grep -q AKIA $3 && { echo 'a key' >&2; exit 1; }\nexit 0\n", file: "x", text: "AKIA",
			want: statestore.ErrContentRefused, words: "a key",
		},
		"a hook that refuses every push": {
			hook: "pre-receive", script: "echo 'use a pull request' >&2; exit 1\n", file: "x", text: "1",
			want: statestore.ErrDenied, words: "use a pull request",
		},
		"an update hook for a protected branch": {
			hook: "update", script: "[ $1 != refs/heads/main ] || { echo 'main is protected' >&2; exit 1; }\n", file: "x", text: "1",
			want: statestore.ErrDenied, words: "main is protected",
		},
		"receive.fsckObjects": {
			settings: []string{"receive.fsckObjects", "true"}, file: ".gitmodules", text: "[submodule \"a\"]\n\tpath = a\n\turl = -u./payload\n",
			want: statestore.ErrContentRefused, words: "fsck error",
		},
		"receive.maxInputSize": {
			settings: []string{"receive.maxInputSize", "2000"}, file: "x", text: noise(20_000),
			want: statestore.ErrContentRefused, words: "exceeds maximum allowed size",
		},
	} {
		t.Run(name, func(t *testing.T) {
			repository := gittest.Bare(t)
			store := open(t, git.Config{URL: "file://" + repository})
			storetest.Write(t, store, map[string]string{"a": "1"})
			base := storetest.Read(t, store).Revision // the server has accepted a push before this read
			if c.hook != "" {
				gittest.Hook(t, repository, c.hook, c.script)
			}
			if c.settings != nil {
				gittest.Git(t, repository, append([]string{"config"}, c.settings...)...)
			}
			_, err := writeOne(t, store, base, c.file, c.text)
			told := wantError(t, err, c.want)
			isContent := c.want == statestore.ErrContentRefused //nolint:errorlint // exactly this sentinel
			if errors.Is(err, statestore.ErrContentRefused) != isContent {
				t.Errorf("it is said: %v", told.Err)
			}
			if !strings.Contains(told.Remote, c.words) || told.Fix == "" {
				t.Errorf("the words are %q, the fix %q", told.Remote, told.Fix)
			}
			storetest.Holds(t, open(t, git.Config{URL: "file://" + repository}), map[string]string{"a": "1"})
			if isContent {
				if _, err := writeOne(t, store, base, "b", "2"); err != nil {
					t.Errorf("other changes: %v", err)
				}
			}
			gittest.Fsck(t, repository)
		})
	}
}
