package bucket_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// TestCrashingWriter is the child process of TestKill9. It writes until it is killed.
func TestCrashingWriter(t *testing.T) {
	url, ok := storetest.CrashingWriter()
	if !ok {
		return
	}
	endpoint, name, _ := strings.Cut(url, "/")
	store := open(t, config(endpoint, name))
	for i := 1; ; i++ {
		if _, err := storetest.Round(t, store, crashTree(i%2)); err != nil {
			t.Fatal(err)
		}
	}
}

func crashTree(which int) map[string]string {
	files := map[string]string{}
	for i := range 10 {
		for _, dir := range []string{"w/dependencies", "w/resources", "w/.kratix"} {
			files[fmt.Sprintf("%s/common/%d.yaml", dir, i)] = strconv.Itoa(which)
			files[fmt.Sprintf("%s/only-%d/%d.yaml", dir, which, i)] = "x"
		}
		files[fmt.Sprintf("w/resources/loose/only-%d-%d.yaml", which, i)] = "x"
	}
	return files
}

// TestKill9 kills a writer at 100 random moments.
func TestKill9(t *testing.T) {
	t.Parallel()
	for name, start := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kill100(t, start(t))
		})
	}
}

func kill100(t *testing.T, server *buckettest.Server) {
	config := configOf(t, server)
	store := open(t, config)
	_, proxy := behindProxy(t, config)
	var countdown atomic.Int64
	now := make(chan struct{}, 1)
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if countdown.Add(-1) == 0 {
			now <- struct{}{}
		}
		// The server also completes requests of killed clients.
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
	partly := 0
	for range 100 {
		storetest.Holds(t, store, finish(t, store))
		countdown.Store(3 + rand.Int64N(200)) //nolint:gosec // a random moment
		storetest.KillWriter(t, proxy.Endpoint+"/"+config.Bucket, now)
		proxy.Quiet(t)
		state := storetest.Read(t, open(t, config))
		held := storetest.Contents(t, state)
		if checkComplete(t, held) {
			partly++
			checkUnfinished(t, state, held)
		}
	}
	storetest.Holds(t, store, finish(t, store))
	t.Logf("%d of 100 kills left a write half done", partly)
	if partly < 10 {
		t.Errorf("only %d of 100 kills hit a write", partly)
	}
}

func finish(t *testing.T, store *bucket.Store) map[string]string {
	t.Helper()
	want := crashTree(0)
	if _, err := storetest.Round(t, store, want); err != nil {
		t.Fatal(err)
	}
	return want
}

func checkComplete(t *testing.T, held map[string]string) bool {
	t.Helper()
	trees := [2]map[string]string{crashTree(0), crashTree(1)}
	for path := range trees[0] {
		if _, both := trees[1][path]; !both {
			continue
		}
		if content := held[path]; content != "0" && content != "1" {
			t.Errorf("%s holds %q", path, content)
		}
	}
	for which, tree := range trees {
		// At least one of the trees must be complete.
		if !hasAll(tree, held, "only-") && !hasAll(trees[1-which], held, "only-") {
			t.Errorf("files of both trees are missing: %d are left", len(held))
		}
	}
	// Resources are written after the dependencies and removed before them.
	for _, tree := range trees {
		if hasAny(tree, held, "resources/only-") && !hasAll(tree, held, "dependencies/only-") {
			t.Error("resources without their dependencies")
		}
	}
	return !maps.Equal(held, trees[0]) && !maps.Equal(held, trees[1])
}

func checkUnfinished(t *testing.T, state statestore.State, held map[string]string) {
	t.Helper()
	known := tree.Set{}
	for _, path := range state.Unfinished {
		known.AddFile(path)
	}
	for path := range held {
		recorded := !strings.Contains(path, "only-") || strings.Contains(path, ".kratix")
		for _, dir := range []string{"dependencies", "resources"} {
			_, there := held[strings.Replace(path, dir, ".kratix", 1)]
			recorded = recorded || there && strings.Contains(path, dir)
		}
		if !recorded && !known.Has(testkit.Path(path)) {
			t.Errorf("%s is named by no record and is not known to be unfinished", path)
		}
	}
}

func hasAll(tree, held map[string]string, part string) bool {
	for path, content := range tree {
		if strings.Contains(path, part) && !strings.Contains(path, ".kratix") && held[path] != content {
			return false
		}
	}
	return true
}

func hasAny(tree, held map[string]string, part string) bool {
	for path := range tree {
		if _, there := held[path]; there && strings.Contains(path, part) {
			return true
		}
	}
	return false
}
