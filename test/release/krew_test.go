package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKrewAcceptsTheManifest(t *testing.T) {
	manifest := filepath.Join(*dist, "krew", "kratix-schedule.yaml")
	run(t, nil, "go", "tool", "validate-krew-manifest", "-manifest", manifest, "-skip-install")
	text := string(read(t, manifest))
	for _, archive := range append(files(t, ".tar.gz"), maybe(t, ".zip")...) {
		if !strings.Contains(text, "/"+filepath.Base(archive)+"\n") {
			t.Errorf("the manifest does not name %s", archive)
		}
	}
}

func TestKrewInstalls(t *testing.T) {
	manifest, archive := filepath.Join(*dist, "krew", "kratix-schedule.yaml"), files(t, "_"+host+".tar.gz")[0]
	root := t.TempDir()
	env := []string{"KREW_ROOT=" + root, "KREW_NO_UPGRADE_CHECK=1"}
	run(t, env, "go", "tool", "krew", "install", "--manifest="+manifest, "--archive="+archive)
	plugin := filepath.Join(root, "bin", "kubectl-kratix_schedule")
	checkVersion(t, run(t, nil, plugin, "version", "-o", "json"))

	if kubectl, err := filepath.Abs("../../bin/kube/kubectl"); err == nil {
		if _, err := os.Stat(kubectl); err == nil {
			checkVersion(t, run(t, []string{"PATH=" + filepath.Dir(plugin) + ":" + os.Getenv("PATH")}, kubectl, "kratix-schedule", "version", "-o", "json"))
		}
	}
}
