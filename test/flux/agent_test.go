package flux

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func TestAgentMessages(t *testing.T) {
	const root = "worker-1/resources"
	one := "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a.b\n  namespace: n\n"
	twice := []agent.Object{{Kind: "ConfigMap", Namespace: "n", Name: "a.b"}}
	for name, test := range map[string]struct {
		files   map[string]string
		objects []agent.Object
		named   []string
	}{
		"twice":                     {map[string]string{"a.yaml": one, "x/b.yaml": one}, twice, []string{"x/b.yaml"}},
		"twice in a file":           {map[string]string{"x/b.yaml": one + "---\n" + one}, twice, []string{"x/b.yaml"}},
		"no YAML":                   {map[string]string{"a.yaml": one, "x/b.yaml": "a: b: c\n"}, nil, []string{"/worker-1/resources/x/b.yaml"}},
		"no kind":                   {map[string]string{"x/b.yaml": "apiVersion: v1\nmetadata: {name: x}\n"}, nil, []string{"/worker-1/resources/x/b.yaml"}},
		"twice below a directory":   {map[string]string{"sub/kustomization.yaml": "resources: [c.yaml, d/e.yaml]\n", "sub/c.yaml": one, "sub/d/e.yaml": one}, twice, []string{"sub/d/e.yaml"}},
		"twice beside a directory":  {map[string]string{"a.yaml": one, "sub/kustomization.yaml": "resources: [c.yaml]\n", "sub/c.yaml": one}, twice, []string{"sub"}},
		"an unusable kustomization": {map[string]string{"sub/kustomization.yaml": "resourcez: [c.yaml]\n"}, nil, []string{"sub"}},
	} {
		t.Run(name, func(t *testing.T) {
			// The directories of kustomize-controller have the same prefix.
			dir, err := os.MkdirTemp(t.TempDir(), "kustomization-")
			if err != nil {
				t.Fatal(err)
			}
			if dir, err = filepath.EvalSymlinks(dir); err != nil {
				t.Fatal(err)
			}
			var files []tree.File
			for path, content := range test.files {
				files = append(files, tree.File{Path: testkit.Path(root + "/" + path), Content: []byte(content)})
			}
			disk := Disk{dir}
			if err := disk.WriteFiles(files); err != nil {
				t.Fatal(err)
			}
			_, err = disk.Judge(root)
			if err == nil {
				t.Fatal("Flux builds it")
			}
			body, err2 := json.Marshal(map[string]any{
				"involvedObject": map[string]string{"kind": "Kustomization"}, "severity": "error", "timestamp": time.Now(), "reason": "BuildFailed", "message": err.Error(),
				"metadata": map[string]string{"destination": "worker-1", "root": "resources"},
			})
			if err2 != nil {
				t.Fatal(err2)
			}
			event, err2 := agent.ParseFlux(body)
			if err2 != nil {
				t.Fatal(err2)
			}
			if event.Outcome != agent.BuildFailed || !slices.Equal(event.Objects, test.objects) || !slices.Equal(event.Files, test.named) {
				t.Errorf("got %s %v %v of %v", event.Outcome, event.Objects, event.Files, err)
			}
		})
	}
}
