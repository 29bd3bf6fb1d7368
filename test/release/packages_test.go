package release

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/sassoftware/go-rpmutils"
)

var wanted = []string{
	"/usr/bin/kratix-schedule", "/usr/share/man/man1/kratix-schedule.1", "/usr/share/bash-completion/completions/kratix-schedule",
	"/usr/share/zsh/vendor-completions/_kratix-schedule", "/usr/share/fish/vendor_completions.d/kratix-schedule.fish", "/usr/share/doc/kratix-schedule/copyright",
}

func TestDebInstalls(t *testing.T) {
	if _, err := exec.LookPath("dpkg"); err != nil {
		t.Skip("there is no dpkg")
	}
	deb := files(t, "_linux_"+runtime.GOARCH+".deb")[0]
	about := run(t, nil, "dpkg-deb", "--info", deb)
	if !strings.Contains(about, "Package: kratix-schedule\n") || !strings.Contains(about, "Recommends: git\n") {
		t.Error(about)
	}
	root := t.TempDir()
	run(t, nil, "mkdir", "-p", root+"/var/lib/dpkg/info", root+"/var/lib/dpkg/updates", root+"/var/lib/dpkg/triggers")
	run(t, nil, "touch", root+"/var/lib/dpkg/status")
	run(t, nil, "dpkg", "--force-not-root", "--force-script-chrootless", "--root="+root, "--log=/dev/null", "--install", deb)
	for _, name := range wanted {
		if len(read(t, root+name)) == 0 {
			t.Errorf("%s is empty", name)
		}
	}
	checkVersion(t, run(t, nil, root+"/usr/bin/kratix-schedule", "version", "-o", "json"))
	run(t, nil, "dpkg", "--force-not-root", "--force-script-chrootless", "--root="+root, "--log=/dev/null", "--remove", "kratix-schedule")
	if found, _ := filepath.Glob(root + "/usr/bin/*"); len(found) > 0 {
		t.Errorf("after the removal there is %q", found)
	}
}

func TestRPMIsComplete(t *testing.T) {
	for _, file := range files(t, ".rpm") {
		rpm, err := rpmutils.ReadRpm(bytes.NewReader(read(t, file)))
		if err != nil {
			t.Fatal(err)
		}
		contents, err := rpm.Header.GetFiles()
		if err != nil {
			t.Fatal(err)
		}
		has := map[string]bool{}
		for _, f := range contents {
			has[f.Name()] = true
		}
		for _, name := range wanted {
			if !has[name] {
				t.Errorf("%s: no %s", file, name)
			}
		}
		if name, err := rpm.Header.GetString(rpmutils.NAME); err != nil || name != "kratix-schedule" {
			t.Errorf("%s: %s, %v", file, name, err)
		}
	}
}

func TestSBOMsNameTheModules(t *testing.T) {
	for _, file := range files(t, ".cdx.json") {
		var sbom struct {
			BOMFormat string `json:"bomFormat"`
			Metadata  struct {
				Component struct{ Name, Version string }
			}
			Components []struct{ Name, Version string }
		}
		if err := json.Unmarshal(read(t, file), &sbom); err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, c := range sbom.Components {
			names[c.Name] = true
		}
		if sbom.BOMFormat != "CycloneDX" || sbom.Metadata.Component.Name != "github.com/kratix-schedule/kratix-schedule" || !names["sigs.k8s.io/kustomize/api"] || len(names) < 50 {
			t.Errorf("%s: %s %+v, %d modules", file, sbom.BOMFormat, sbom.Metadata, len(names))
		}
	}
}
