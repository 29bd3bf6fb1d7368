package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
)

type releases struct {
	*httptest.Server
	files map[string][]byte
}

const archiveName = "kratix-schedule_0.1.0_" + runtime.GOOS + "_" + runtime.GOARCH + ".tar.gz"

func newReleases(t *testing.T, program string) releases {
	t.Helper()
	var archive bytes.Buffer
	zipped := gzip.NewWriter(&archive)
	files := tar.NewWriter(zipped)
	for name, content := range map[string]string{"LICENSE": "x", "kratix-schedule": program} {
		if err := files.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		if _, err := files.Write([]byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := files.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	r := releases{files: map[string][]byte{
		archiveName:     archive.Bytes(),
		"checksums.txt": fmt.Appendf(nil, "%x  other.tar.gz\n%x  %s\n", sha256.Sum256(nil), sha256.Sum256(archive.Bytes()), archiveName),
	}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		content, found := r.files[strings.TrimPrefix(request.URL.Path, "/v0.1.0/")]
		if !found {
			http.NotFound(w, request)
			return
		}
		_, _ = w.Write(content)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r releases) checksum() string {
	return fmt.Sprintf("%x", sha256.Sum256(r.files["checksums.txt"]))
}

func TestScriptsDownloadTheRelease(t *testing.T) {
	for _, c := range []struct {
		name, version, checksum string
		change                  func(releases)
		want                    string
		status                  int
	}{
		{"the checksum is right", "v0.1.0", "right", nil, "downloaded", exitFindings},
		{"no checksum is given", "v0.1.0", "", nil, "downloaded", exitFindings},
		{"another checksum is given", "v0.1.0", strings.Repeat("0", 64), nil, "does not have the expected checksum", exitFailure},
		{"the archive is another", "v0.1.0", "right", func(r releases) { r.files[archiveName] = append(r.files[archiveName], 0) }, "does not have the checksum that checksums.txt names", exitFailure},
		{"the archive is not named", "v0.1.0", "", func(r releases) { r.files["checksums.txt"] = nil }, "does not have the checksum that checksums.txt names", exitFailure},
		{"the release is missing", "v9.9.9", "", nil, "built", exitFindings},
		{"it is a branch", "main", "", nil, "built", exitFindings},
		{"it leads elsewhere", "v0.1.0/../v0.1.0", "", nil, "built", exitFindings},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newExampleDir(t)
			program := w.read(t, "bin/kratix-schedule")
			says := func(what string) string { return strings.Replace(program, "\n", "\necho "+what+"\n", 1) }
			served := newReleases(t, says("downloaded"))
			checksum := c.checksum
			if checksum == "right" {
				checksum = served.checksum()
			}
			if c.change != nil {
				c.change(served)
			}
			w.file(t, "built", says("built"))
			w.file(t, "fake/go", "#!/bin/sh\nwhile [ $# -gt 0 ] && [ \"$1\" != -o ]; do shift; done\nto=${2:-$GOBIN/kratix-schedule}\nmkdir -p \"${to%/*}\" && cp "+w.dir+"/built \"$to\"\n")
			_, action, env := readAction(t, w, map[string]string{"paths": "testdata/elastic-cloud", "comment": "false", "version": c.version, "checksum": checksum})
			_, template, variables := readTemplate(t)
			env = append(append(env, variables...), "KRATIX_SCHEDULE_VERSION="+c.version, "KRATIX_SCHEDULE_CHECKSUM="+checksum, "KRATIX_SCHEDULE_COMMENT=false",
				"KRATIX_SCHEDULE_PATHS=testdata/elastic-cloud", "KRATIX_SCHEDULE_RELEASES="+served.URL, "PATH="+w.dir+"/fake:"+pathWithout("kratix-schedule"))
			for name, script := range map[string]string{"action": action, "template": template} {
				if output, status := w.shell(t, script, env...); status != c.status || !strings.Contains(output, c.want) {
					t.Errorf("%s: status %d: %s", name, status, output)
				}
			}
		})
	}
}

func TestActionOfATagDownloadsIt(t *testing.T) {
	w := newExampleDir(t)
	served := newReleases(t, strings.Replace(w.read(t, "bin/kratix-schedule"), "\n", "\necho downloaded\n", 1))
	_, script, env := readAction(t, w, map[string]string{"paths": "testdata/elastic-cloud", "comment": "false"})
	env = append(env, "GITHUB_ACTION_REF=v0.1.0", "KRATIX_SCHEDULE_RELEASES="+served.URL, "PATH="+pathWithout("kratix-schedule"))
	if output, status := w.shell(t, script, env...); status != exitFindings || !strings.Contains(output, "downloaded\n") {
		t.Errorf("status %d: %s", status, output)
	}
}

func TestTemplateHasTheScript(t *testing.T) {
	script, err := os.ReadFile("../../hack/download.sh")
	if err != nil {
		t.Fatal(err)
	}
	job, _, _ := readTemplate(t)
	if !strings.Contains(job.BeforeScript[0], "<<'END'\n"+string(script)+"END\n") {
		t.Error("templates/gitlab-ci.yml does not contain hack/download.sh as it is")
	}
}
