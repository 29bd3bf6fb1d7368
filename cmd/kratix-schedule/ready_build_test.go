package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestActionBuildsTheProgram(t *testing.T) {
	testkit.Slow(t)
	w := newExampleDir(t)
	program := buildByAction(t, w)
	output, status := w.shell(t, program+" version")
	if status != exitClean || !strings.HasPrefix(output, "kratix-schedule v1.2.3 ") {
		t.Errorf("status %d: %s", status, output)
	}
	runsAlone(t, w, program)
}

func buildByAction(t *testing.T, w exampleDir) string {
	t.Helper()
	checkout, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	env := []string{
		"GITHUB_ACTIONS=true", "GITHUB_ACTION_PATH=" + checkout, "GITHUB_ACTION_REF=v1.2.3", "GITHUB_WORKSPACE=" + w.dir,
		"GITHUB_OUTPUT=" + temp + "/output", "GITHUB_STEP_SUMMARY=" + temp + "/summary", "RUNNER_TEMP=" + temp,
		"INPUT_PATHS=testdata/elastic-cloud", "INPUT_ARGS=", "INPUT_REPORTS=reports", "INPUT_COMMENT=false",
		"KRATIX_SCHEDULE_RELEASES=http://127.0.0.1:1", "PATH=" + pathWithout("kratix-schedule"),
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOFLAGS", "GOPROXY"} {
		value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(value)))
	}
	const script = `sh "$GITHUB_ACTION_PATH/hack/action.sh"`
	output, status := w.shell(t, script, env...)
	if status != exitFindings || strings.Count(output, "::error file=testdata/elastic-cloud/") != 8 || !strings.Contains(w.read(t, "reports/report.sarif"), "KS001") {
		t.Errorf("status %d: %s", status, output)
	}
	w.file(t, "tools/kept", "")
	output, status = w.shell(t, "PATH="+w.dir+"/tools; "+strings.Replace(script, "sh ", "/bin/sh ", 1), env...)
	if status != exitFailure || !strings.Contains(output, "::error::") || !strings.Contains(output, "actions/setup-go") {
		t.Errorf("without go: status %d: %s", status, output)
	}
	return filepath.Join(temp, "kratix-schedule-bin", "kratix-schedule")
}

func pathWithout(program string) string {
	dirs := slices.DeleteFunc(filepath.SplitList(os.Getenv("PATH")), func(dir string) bool { return isFile(filepath.Join(dir, program)) })
	return strings.Join(dirs, string(os.PathListSeparator))
}

func runsAlone(t *testing.T, w exampleDir, program string) {
	t.Helper()
	dockerfile, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	entry := regexp.MustCompile(`(?m)^ENTRYPOINT \["([^"]+)"\]$`).FindStringSubmatch(string(dockerfile))
	if entry == nil || !strings.Contains(string(dockerfile), "\nUSER 65532:65532\n") || !strings.Contains(string(dockerfile), "\nFROM scratch\n") ||
		!strings.Contains(string(dockerfile), "CGO_ENABLED=0 GOOS=${TARGETOS} GOARCH=${TARGETARCH} go build -trimpath -buildvcs=false") {
		t.Fatal("the image is not what this test is about")
	}
	root := filepath.Join(t.TempDir(), "root")
	if err := os.CopyFS(filepath.Join(root, "src"), os.DirFS(filepath.Join(w.dir, "testdata"))); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(program) //nolint:gosec // it was just built
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, entry[1]), content, 0o755); err != nil { //nolint:gosec // the other user runs it
		t.Fatal(err)
	}
	for dir := root; dir != filepath.Dir(os.TempDir()) && dir != "/"; dir = filepath.Dir(dir) {
		_ = os.Chmod(dir, 0o755) //nolint:gosec // the other user must be able to enter; the parent directories are open already
	}
	run := exec.CommandContext(t.Context(), entry[1], "validate", "elastic-cloud") //nolint:gosec // named by the Dockerfile
	run.Dir, run.Env = "/src", []string{}
	run.SysProcAttr = confined(root)
	output, err := run.CombinedOutput()
	if run.ProcessState == nil || run.ProcessState.ExitCode() != exitFindings || !strings.Contains(string(output), "8 errors") {
		t.Errorf("%v: %s", err, output)
	}
}

func confined(root string) *syscall.SysProcAttr {
	const user = 65532
	if os.Geteuid() == 0 {
		return &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	return &syscall.SysProcAttr{
		Chroot: root, Cloneflags: syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: user, HostID: os.Getegid(), Size: 1}},
	}
}
