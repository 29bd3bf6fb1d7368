package flux

import (
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func TestOddInputsHaveTheResultOfFlux(t *testing.T) {
	inputs, err := txtar.ParseFile("../../kustomize/testdata/odd-inputs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	o := &oracle{t: t, disk: Disk{t.TempDir()}}
	for i, input := range inputs.Files {
		o.judgeFiles(uint64(i), []tree.File{{Path: testkit.Path("file.yaml"), Content: input.Data}}) //nolint:gosec // no index is negative
		if t.Failed() {
			t.Fatal(input.Name)
		}
	}
	if o.counts.unwritable < 20 || o.counts.left < 8 || o.counts.built < 20 {
		t.Errorf("too few cases: %s", &o.counts)
	}
}

func TestOddInputsInADirectoryHaveTheResultOfFlux(t *testing.T) {
	inputs, err := txtar.ParseFile("../../kustomize/testdata/odd-inputs.txtar")
	if err != nil {
		t.Fatal(err)
	}
	o := &oracle{t: t, disk: Disk{t.TempDir()}}
	for i, input := range inputs.Files {
		o.judgeFiles(uint64(i), []tree.File{ //nolint:gosec // no index is negative
			{Path: testkit.Path("d/file.yaml"), Content: input.Data},
			{Path: testkit.Path("d/kustomization.yaml"), Content: []byte("resources: [file.yaml]\n")},
		})
		if t.Failed() {
			t.Fatal(input.Name)
		}
	}
	if o.counts.unwritable < 20 || o.counts.left < 8 || o.counts.built < 20 {
		t.Errorf("too few cases: %s", &o.counts)
	}
}

func TestKnownDifferencesAreNamed(t *testing.T) {
	for _, d := range known {
		if d.name == "" || d.reason == "" {
			t.Errorf("%q: %q", d.name, d.reason)
		}
		if d.same("kustomize build failed: a", "kustomize build failed: b") {
			t.Errorf("%s takes all for equal", d.name)
		}
	}
}
