package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

type requestLog struct {
	mu     sync.Mutex
	counts map[string]int
}

func (l *requestLog) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		l.counts[r.Method+" "+filepath.Base(r.URL.Path)+r.URL.Query().Get("service")]++
		l.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func requestYAML(name string) string {
	return fmt.Sprintf("apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata: {name: %s, namespace: default}\nspec:\n  promiseName: p\n  resourceName: %[1]s\n"+
		"  workloadGroups:\n  - id: 5058f1af8388633f609cadb75a75dc9d\n    directory: .\n    workloads:\n    - {filepath: m.yaml, content: %s}\n", name, kratix.Encode([]byte(testkit.ConfigMaps(name))))
}

func TestChangesToAGitServerShareCommitsAndReads(t *testing.T) {
	repository := gittest.Bare(t)
	gittest.Commit(t, repository, "main", map[string]string{"README": ""})
	log := &requestLog{counts: map[string]int{}}
	server := httptest.NewServer(log.before(gittest.Backend(t, filepath.Dir(repository))))
	defer server.Close()
	address := strings.Replace(server.URL, "http://", "http://"+gittest.User+":"+gittest.Password+"@", 1) + "/" + filepath.Base(repository)
	in := t.TempDir()
	put := func(name, content string) {
		if err := os.WriteFile(filepath.Join(in, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var stores strings.Builder
	for i := range 12 {
		if i < 3 {
			_, _ = fmt.Fprintf(&stores, "---\napiVersion: platform.kratix.io/v1alpha1\nkind: GitStateStore\nmetadata: {name: s%d}\nspec: {url: %q, branch: main, path: s%d}\n", i, address, i)
		}
		_, _ = fmt.Fprintf(&stores, "---\napiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: worker-%d}\nspec: {path: worker-%d, stateStoreRef: {kind: GitStateStore, name: s%d}}\n", i, i, i%3)
	}
	put("stores.yaml", stores.String())
	put("first.yaml", requestYAML("first"))

	var out, trouble tee
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, []string{"run", "-f", in, "--listen", "127.0.0.1:0", "--commits-per-minute", "1"}, streams{out: &out, err: &trouble})
	}()
	waitForOutput(t, &trouble, `"msg":"placed","work":"default/first"`)
	for i := range 5 {
		name := fmt.Sprint("later-", i)
		put(name+".yaml", requestYAML(name))
		waitForOutput(t, &trouble, `"msg":"being written","work":"default/`+name+`"`)
	}
	stop()
	if code := <-ended; code != exitClean {
		t.Errorf("exit status %d: %s", code, trouble.String())
	}
	if !strings.Contains(trouble.String(), "waits for the next commit at ") {
		t.Errorf("the log does not say why nothing is written: %s", trouble.String())
	}
	if commits := gittest.Commits(t, repository, "main"); commits != "3" {
		t.Errorf("%s commits", commits)
	}
	if files := gittest.Git(t, repository, "ls-tree", "-r", "--name-only", "main"); strings.Count(files, "later-") < 5 {
		t.Errorf("files:\n%s", files)
	}
	if pushes, reads := log.counts["POST git-receive-pack"], log.counts["GET refsgit-upload-pack"]; pushes != 2 || reads != 2 {
		t.Errorf("%d pushes and %d reads: %v", pushes, reads, log.counts)
	}
}
