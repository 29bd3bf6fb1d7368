package layout_test

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestPathOfIsWhereTheFilesAre(t *testing.T) {
	work := testkit.Request("a", testkit.WithPipeline("instance"), testkit.WithFile("x.yaml", testkit.ConfigMaps("x")))
	placement := testkit.Placement(work, "worker-1")
	for mode, want := range map[string]string{
		"":                      "worker-1/resources/default/redis/a/instance/5058f",
		kratix.AggregatedYAML:   "worker-1/aggregated.yaml",
		kratix.None:             "worker-1",
		kratix.NestedByMetadata: "worker-1/resources/default/redis/a/instance/5058f",
	} {
		d := testkit.Destination("worker-1")
		d.Spec.Filepath.Mode = mode
		path, err := layout.PathOf(d, placement)
		if err != nil || path.String() != want {
			t.Errorf("%s: %s, %v, want %s", mode, path, err, want)
		}
		rendering, _ := layout.Render(d, placement)
		for _, file := range rendering.Files {
			if !file.Path.Within(path) {
				t.Errorf("%s: %s is not within %s", mode, file.Path, path)
			}
		}
	}
}
