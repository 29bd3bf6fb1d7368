package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

var dist = flag.String("dist", "../../dist", "directory of the release")

const host = runtime.GOOS + "_" + runtime.GOARCH

func files(t *testing.T, ending string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(*dist, "kratix-schedule_*"+ending))
	if err != nil || len(found) == 0 {
		t.Fatalf("no file kratix-schedule_*%s in %s: run make release-host or make release-snapshot: %v", ending, *dist, err)
	}
	return found
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(context.Background(), name, args...)
	command.Env = append(os.Environ(), env...)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
	return string(output)
}

func unpacked(t *testing.T, archive string) (contents map[string][]byte, modes map[string]os.FileMode) {
	t.Helper()
	contents, modes = map[string][]byte{}, map[string]os.FileMode{}
	add := func(name string, mode os.FileMode, from io.Reader) {
		content, err := io.ReadAll(from)
		if err != nil {
			t.Fatal(err)
		}
		contents[name], modes[name] = content, mode
	}
	data := read(t, archive)
	if strings.HasSuffix(archive, ".zip") {
		zipped, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range zipped.File {
			from, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			add(f.Name, f.Mode().Perm(), from)
		}
		return contents, modes
	}
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(zipped); ; {
		header, err := files.Next()
		if err == io.EOF {
			return contents, modes
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Uname != "root" {
			t.Errorf("%s: %s belongs to %q", archive, header.Name, header.Uname)
		}
		add(header.Name, header.FileInfo().Mode().Perm(), files)
	}
}

func TestArchivesAreComplete(t *testing.T) {
	for _, archive := range append(files(t, "_*.tar.gz"), maybe(t, "_*.zip")...) {
		contents, modes := unpacked(t, archive)
		program := "kratix-schedule"
		if strings.Contains(archive, "windows") {
			program += ".exe"
		}
		for _, name := range []string{
			program, "LICENSE", "README.md", "CHANGELOG.md", "man/kratix-schedule.1", "man/kratix-schedule-validate.1",
			"completions/kratix-schedule.bash", "completions/kratix-schedule.zsh", "completions/kratix-schedule.fish",
		} {
			if len(contents[name]) == 0 {
				t.Errorf("%s: no %s", archive, name)
			}
		}
		if modes[program] != 0o755 || modes["LICENSE"] != 0o644 {
			t.Errorf("%s: modes %v", archive, modes)
		}
		if bytes.Contains(contents[program], []byte(os.Getenv("HOME")+"/go/")) {
			t.Errorf("%s: the program contains paths of this machine", archive)
		}
	}
}

func maybe(t *testing.T, ending string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(*dist, "kratix-schedule_*"+ending))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestChecksumsAreRight(t *testing.T) {
	lines := strings.Split(strings.TrimSpace(string(read(t, filepath.Join(*dist, "checksums.txt")))), "\n")
	named := map[string]bool{}
	for _, line := range lines {
		want, name, _ := strings.Cut(line, "  ")
		got := sha256.Sum256(read(t, filepath.Join(*dist, name)))
		if hex.EncodeToString(got[:]) != want {
			t.Errorf("%s: %s", name, want)
		}
		named[name] = true
	}
	for _, ending := range []string{".tar.gz", ".deb", ".rpm", ".cdx.json"} {
		for _, file := range files(t, ending) {
			if !named[filepath.Base(file)] {
				t.Errorf("checksums.txt does not name %s", file)
			}
		}
	}
}

func TestProgramNamesItsBuild(t *testing.T) {
	contents, _ := unpacked(t, files(t, "_"+host+".tar.gz")[0])
	program := filepath.Join(t.TempDir(), "kratix-schedule")
	if err := os.WriteFile(program, contents["kratix-schedule"], 0o755); err != nil {
		t.Fatal(err)
	}
	checkVersion(t, run(t, nil, program, "version", "-o", "json"))
}

func checkVersion(t *testing.T, version string) {
	t.Helper()
	head := strings.TrimSpace(run(t, nil, "git", "rev-parse", "HEAD"))
	if !strings.Contains(version, fmt.Sprintf(`"commit":%q,"date":"2`, head)) || strings.Contains(version, `"version":"dev"`) {
		t.Errorf("the program prints %s for %s", version, head)
	}
}
