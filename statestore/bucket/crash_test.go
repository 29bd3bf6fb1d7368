package bucket_test

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// childOf names the environment variable that tells a child process where to
// write: endpoint/bucket.
const childOf = "KRATIX_SCHEDULE_TEST_BUCKET"

// TestCrashingWriter is no test: it is the child that TestKill9 kills. It turns
// the store from one tree into the other until then.
func TestCrashingWriter(t *testing.T) {
	given := os.Getenv(childOf)
	if given == "" {
		return
	}
	endpoint, name, _ := strings.Cut(given, "/")
	store := open(t, config(endpoint, name))
	fmt.Println("ready")
	for i := 1; ; i++ {
		if _, err := round(t, store, crashTree(i%2)); err != nil {
			t.Fatal(err)
		}
	}
}

// crashTree gives one of two trees that share a third of their paths.
func crashTree(which int) map[string]string {
	files := map[string]string{}
	for i := range 10 {
		for _, dir := range []string{"w/dependencies", "w/resources", "w/.kratix"} {
			files[fmt.Sprintf("%s/common/%d.yaml", dir, i)] = strconv.Itoa(which)
			files[fmt.Sprintf("%s/only-%d/%d.yaml", dir, which, i)] = "x"
		}
	}
	return files
}

// TestKill9 kills a writer at 100 random moments. Whatever it leaves, nothing
// is gone before all that replaces it is there, and one round finishes it.
func TestKill9(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	config := configOf(t, server)
	store := open(t, config)
	partly := 0
	for range 100 {
		storetest.Holds(t, store, finish(t, store))
		crash(t, config.Endpoint+"/"+config.Bucket)
		held := contents(t, open(t, config))
		if complete(t, held) {
			partly++
		}
	}
	storetest.Holds(t, store, finish(t, store))
	t.Logf("%d of 100 kills left a write half done", partly)
	if partly < 10 {
		t.Errorf("only %d of 100 kills hit a write", partly)
	}
}

// finish does one round, which must be enough.
func finish(t *testing.T, store *bucket.Store) map[string]string {
	t.Helper()
	want := crashTree(0)
	if _, err := round(t, store, want); err != nil {
		t.Fatal(err)
	}
	return want
}

// crash starts a writer and kills it.
func crash(t *testing.T, where string) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestCrashingWriter$") //nolint:gosec // this test
	child.Env = append(os.Environ(), childOf+"="+where)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
	}
	time.Sleep(rand.N(120 * time.Millisecond)) //nolint:gosec // any moment will do
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); !strings.Contains(fmt.Sprint(err), "killed") {
		t.Fatalf("the writer ended by itself: %v", err)
	}
	time.Sleep(50 * time.Millisecond) // what was sent already arrives
}

func contents(t *testing.T, store *bucket.Store) map[string]string {
	t.Helper()
	state := storetest.Read(t, store)
	held := map[string]string{}
	for path := range state.Files.All() {
		content, err := state.Contents.Content(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		held[path.String()] = string(content)
	}
	return held
}

// complete checks what a crash may leave, and tells whether it left anything.
func complete(t *testing.T, held map[string]string) bool {
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
		// Something that only one tree has is gone or not there yet: so all that
		// only the other has must be there.
		if !everything(tree, held, "only-") && !everything(trees[1-which], held, "only-") {
			t.Errorf("files of both trees are missing: %d are left", len(held))
		}
	}
	// Resources come after the dependencies and go before them.
	for _, tree := range trees {
		if has(tree, held, "resources/only-") && !everything(tree, held, "dependencies/only-") {
			t.Error("resources without their dependencies")
		}
	}
	return !maps.Equal(held, trees[0]) && !maps.Equal(held, trees[1])
}

// everything tells whether all files of a tree are held as the tree has them:
// those whose path has a part, without records, which change last.
func everything(tree, held map[string]string, part string) bool {
	for path, content := range tree {
		if strings.Contains(path, part) && !strings.Contains(path, ".kratix") && held[path] != content {
			return false
		}
	}
	return true
}

// has tells whether any file of a tree whose path has a part is held.
func has(tree, held map[string]string, part string) bool {
	for path := range tree {
		if _, there := held[path]; there && strings.Contains(path, part) {
			return true
		}
	}
	return false
}
