package flux

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	flux "github.com/fluxcd/pkg/kustomize"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"github.com/fluxcd/pkg/sourceignore"
)

func TestTime(t *testing.T) {
	_ = sourceignore.IgnoreFile
	_ = kustomize.Loads(tree.Path{})
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "a.yaml"), []byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n"), 0o600)
	start := time.Now()
	for range 50 {
		if _, err := flux.NewGenerator(dir, unstructured.Unstructured{}).WriteFile(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := flux.SecureBuild(dir, dir, false); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(dir, "kustomization.yaml"))
	}
	t.Log(time.Since(start) / 50)
}
