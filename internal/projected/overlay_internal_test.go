package projected

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestEachFileIsOfItsWorkPlacement(t *testing.T) {
	for _, mode := range layout.Modes() {
		d := testkit.Destination("worker-1", testkit.InMode(mode))
		version := func(n int) []*kratix.WorkPlacement {
			var made []*kratix.WorkPlacement
			for _, name := range []string{"a", "b", "c"} {
				work := testkit.Request(name)
				for file := range 3 {
					object := fmt.Sprintf("%s-%d", name, file)
					testkit.WithFile(object+".yaml", testkit.ConfigMaps(object)+fmt.Sprintf("data: {version: \"%d\"}\n", n))(work)
				}
				made = append(made, testkit.Placement(work, d.Name))
			}
			return made
		}
		var before *overlay
		for n := range 3 {
			placements := version(n)
			if before != nil {
				placements[1] = before.placements[1] // only the other WorkPlacements have changed
			}
			made, err := newOverlay(t.Context(), d, placements, before, statestore.Files{}, emptyContents{})
			if err != nil {
				t.Fatal(err)
			}
			var paths []tree.Path
			for path := range made.digests {
				paths = append(paths, path, path, path)
			}
			random := rand.New(rand.NewPCG(uint64(n), 1)) //nolint:gosec // the test must be repeatable
			random.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
			for _, path := range paths {
				content, err := made.content(path)
				if err != nil || statestore.Digest(sha256.Sum256(content)) != made.digests[path] {
					t.Errorf("%s, version %d: %s has another content than its sum says: %v", mode, n, path, err)
				}
				if base := path.Base(); strings.HasPrefix(base, "a-") && !strings.Contains(string(content), fmt.Sprintf("version: \"%d\"", n)) {
					t.Errorf("%s: %s is of an earlier version than %d", mode, path, n)
				}
			}
			if _, err := made.content(tree.Path{}); err == nil {
				t.Error("a file that nobody has is there")
			}
			before = made
		}
	}
}
