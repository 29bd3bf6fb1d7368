package git_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

var update = flag.Bool("update", false, "write golden files again")

func errorText(err error) string {
	var e *statestore.Error
	switch {
	case err == nil:
		return "<nil>"
	case errors.As(err, &e) && e.Fix != "":
		return fmt.Sprintf("%v\n    (%s)", err, e.Fix)
	}
	return err.Error()
}

func contents(files []tree.File) map[string]string {
	byName := map[string]string{}
	for _, file := range files {
		byName[path.Base(file.Path.String())] = string(file.Content)
	}
	return byName
}

type trouble struct {
	name            string
	config          func(t *testing.T, repository string) git.Config
	before, between func(t *testing.T, repository string)
	file            string
}

func answering(to string, code int, header map[string]string, text string) func(*testing.T, string) git.Config {
	return func(t *testing.T, repository string) git.Config {
		return intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			if !strings.Contains(r.Method+" "+r.URL.String(), to) {
				next.ServeHTTP(w, r)
				return
			}
			for key, value := range header {
				w.Header().Set(key, value)
			}
			http.Error(w, text, code)
		})
	}
}

func faulty(reach func(testing.TB, string) git.Config, fault gittest.Fault) (config func(*testing.T, string) git.Config, between func(*testing.T, string)) {
	var proxy *gittest.Proxy
	return func(t *testing.T, repository string) git.Config {
			config := reach(t, repository)
			if fault.Hang {
				config.Silence = time.Second
			}
			config, proxy = behindProxy(t, config)
			return config
		}, func(*testing.T, string) {
			proxy.Set(fault)
		}
}

func overHTTP(t testing.TB, repository string) git.Config {
	server := httptest.NewServer(gittest.Backend(t, parent(repository)))
	t.Cleanup(server.Close)
	return git.Config{URL: server.URL + "/store.git", Auth: git.Auth{Username: gittest.User, Password: gittest.Password}}
}

func overHTTPS(t testing.TB, repository string) git.Config { return served(t, repository) }

func overSSH(t testing.TB, repository string) git.Config {
	config, _ := servedBySSH(t, repository)
	return config
}

func inRepository(commands ...string) func(*testing.T, string) {
	return func(t *testing.T, repository string) {
		for _, command := range commands {
			gittest.Git(t, repository, strings.Fields(command)...)
		}
	}
}

func committed(files map[string]string) func(*testing.T, string) {
	return func(t *testing.T, repository string) { gittest.Commit(t, repository, "main", files) }
}

func hook(name, script string) func(*testing.T, string) {
	return func(t *testing.T, repository string) { gittest.Hook(t, repository, name, script) }
}

func linked(entry string) func(*testing.T, string) {
	return func(t *testing.T, repository string) {
		worktree := gittest.Clone(t, repository, "main")
		if entry == "symlink" {
			if err := os.Symlink("a", filepath.Join(worktree, "entry")); err != nil {
				t.Fatal(err)
			}
			gittest.Git(t, worktree, "add", "entry")
		} else {
			gittest.Git(t, worktree, "update-index", "--add", "--cacheinfo", "160000,0123456789012345678901234567890123456789,entry")
		}
		gittest.Git(t, worktree, "commit", "--quiet", "--message", entry)
		gittest.Git(t, worktree, "push", "--quiet", "origin", "HEAD")
	}
}

func as(change func(*git.Config)) func(*testing.T, string) git.Config {
	return func(t *testing.T, repository string) git.Config {
		config := served(t, repository)
		change(&config)
		return config
	}
}

func troubles() []trouble {
	down := as(func(c *git.Config) {
		listener, _ := net.Listen("tcp", "127.0.0.1:0")
		c.URL = "http://" + listener.Addr().String() + "/store.git"
		listener.Close() //nolint:errcheck // only its address was needed
	})
	var all []trouble
	for name, reach := range map[string]func(testing.TB, string) git.Config{"http": overHTTP, "https": overHTTPS, "ssh": overSSH} {
		for fault, how := range map[string]gittest.Fault{
			"server is silent": {Hang: true}, "server falls silent in mid-answer": {Hang: true, After: 350},
			"connection is cut": {Cut: true}, "connection is cut in mid-answer": {Cut: true, After: 350},
		} {
			config, between := faulty(reach, how)
			all = append(all, trouble{name: fault + ", " + name, config: config, between: between})
		}
	}
	return append(all,
		trouble{name: "empty repository", before: inRepository("update-ref -d refs/heads/main")},
		trouble{name: "missing branch", config: as(func(c *git.Config) { c.Branch = "dev" })},
		trouble{name: "branch deleted by someone", between: inRepository("update-ref -d refs/heads/main")},
		trouble{name: "branch rewritten by someone", before: committed(map[string]string{"b": "2"}), between: inRepository("update-ref refs/heads/main main~1")},
		trouble{name: "branch moves during the push", before: hook("pre-receive", "unset GIT_QUARANTINE_PATH GIT_OBJECT_DIRECTORY GIT_ALTERNATE_OBJECT_DIRECTORIES\n"+
			"git update-ref refs/heads/main $(git commit-tree -m foreign -p main main^{tree})\n")},
		trouble{name: "credentials that only read", config: as(func(c *git.Config) { c.Auth.Username = gittest.Reader })},
		trouble{name: "wrong password", config: as(func(c *git.Config) { c.Auth.Password = "s3cret" })},
		trouble{name: "wrong token", config: as(func(c *git.Config) { c.Auth = git.Auth{Bearer: "s3cret"} })},
		trouble{name: "unknown CA", config: as(func(c *git.Config) { c.CABundle = nil })},
		trouble{name: "pre-receive hook", between: hook("pre-receive", "echo 'no commits on Fridays' >&2; echo 'ask ops' >&2; exit 1\n")},
		trouble{name: "server is down", config: down},
		trouble{name: "401", config: answering("/", 401, nil, "who are you?")},
		trouble{name: "403", config: answering("receive-pack", 403, nil, "You may not push here.")},
		trouble{name: "404", config: answering("/", 404, nil, "no such thing")},
		trouble{name: "429 with Retry-After", config: answering("receive-pack", 429, map[string]string{"Retry-After": "90"}, "slow down")},
		trouble{name: "500", config: answering("receive-pack", 500, nil, "something broke")},
		trouble{name: "503 with Retry-After", config: answering("/", 503, map[string]string{"Retry-After": "90"}, "maintenance")},
		trouble{name: "redirect to another host", config: answering("/", 302, map[string]string{"Location": "https://elsewhere.invalid/store.git/info/refs"}, "")},
		trouble{name: "archived repository", config: answering("receive-pack", 403, nil, "This repository was archived so it is read-only.")},
		trouble{name: "a web page", config: answering("/", 200, map[string]string{"Content-Type": "text/html"}, "<html>Please log in</html>")},
		trouble{name: "a file where a directory is wanted", file: "a/b"},
		trouble{name: "a directory where a file is wanted", before: committed(map[string]string{"d/x": "1"}), file: "d"},
		trouble{name: "spec.path is a file", config: as(func(c *git.Config) { c.Path = "a" })},
		trouble{name: "a symlink where a directory is wanted", before: linked("symlink"), file: "entry/x"},
		trouble{name: "a submodule where a directory is wanted", before: linked("submodule"), file: "entry/x"},
		trouble{name: "LFS", before: committed(map[string]string{".gitattributes": "*.yaml filter=lfs diff=lfs merge=lfs -text\n"})},
	)
}

func TestErrorTextOfEachFailure(t *testing.T) {
	golden := filepath.Join("testdata", "troubles.txt")
	want, err := os.ReadFile(golden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for section := range strings.SplitSeq("\n"+string(want), "\n# ") {
		name, _, _ := strings.Cut(section, "\n")
		sections[name] = "# " + strings.TrimRight(section, "\n") + "\n"
	}
	var all []string
	for _, trouble := range troubles() {
		t.Run(trouble.name, func(t *testing.T) {
			got := trouble.run(t)
			all = append(all, got)
			if got != sections[trouble.name] && !*update {
				t.Errorf("got\n%s\nwant\n%s", got, sections[trouble.name])
			}
			delete(sections, trouble.name)
		})
	}
	if *update {
		writeSorted(t, golden, all)
		return
	}
	delete(sections, "") // the text before the first section
	for name := range sections {
		t.Errorf("%s is in the file, and nowhere else", name)
	}
}

func (f trouble) run(t *testing.T) string {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"a": "1"})
	if f.before != nil {
		f.before(t, repository)
	}
	if f.config == nil {
		f.config = func(t *testing.T, repository string) git.Config { return served(t, repository) }
	}
	config := f.config(t, repository)
	store := open(t, config)
	config.Silence = 0 // no fault is injected yet
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	state, read := open(t, config).Read(ctx)
	if f.between != nil {
		f.between(t, repository)
	}
	_, wrote := store.Apply(ctx, statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{orElse(f.file, "new"): "1"})})
	var text strings.Builder
	fmt.Fprintf(&text, "# %s\nread: %s\nwrite: %s\nprobe: %s\n", f.name, errorText(read), errorText(wrote), errorText(store.Probe(ctx)))
	for _, warning := range state.Warnings {
		fmt.Fprintf(&text, "warning: %s\n", warning)
	}
	gittest.Fsck(t, repository)
	return normalized(text.String(), config)
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func normalized(text string, config git.Config) string {
	text = strings.ReplaceAll(text, parent(config.URL), "URL")
	text = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(text, "HOST")
	for pattern, with := range map[string]string{
		`[0-9a-f]{40}`:                          "HASH",
		`the server says: error: cannot lock.*`: "the server says: (git's words about the lock)",
		`lookup elsewhere.invalid.*`:            "lookup elsewhere.invalid: (the system's words)",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	return text
}

func writeSorted(t *testing.T, name string, sections []string) {
	t.Helper()
	slices.Sort(sections)
	if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Join(sections, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}
