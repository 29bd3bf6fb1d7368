package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func writeWork(t *testing.T, dir, namespace, name, file, packed string) {
	t.Helper()
	text := fmt.Sprintf(`{"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Work", "metadata": {"name": %q, "namespace": %q}, "spec": {"promiseName": "p", "resourceName": %q,
"workloadGroups": [{"id": %q, "directory": ".", "workloads": [{"filepath": %q, "content": %q}]}]}}`, name, namespace, name, kratix.GroupID("."), file, packed)
	if err := os.WriteFile(filepath.Join(dir, namespace+"-"+name+".yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeBombs writes Works that would need much memory.
func writeBombs(t *testing.T, dir string) {
	t.Helper()
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	pack := func(text string) string { return kratix.Encode([]byte(text)) }
	var aliases strings.Builder
	aliases.WriteString("a0: &a0 x\n")
	for i := range 60 {
		fmt.Fprintf(&aliases, "a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	var keys strings.Builder
	for i := range 140_000 {
		fmt.Fprintf(&keys, "  k%d: v\n", i)
	}
	for name, text := range map[string]string{
		"deep":      object + "data: " + strings.Repeat("{a: ", 1_000_000),
		"levels":    object + "data: " + strings.Repeat("{a: ", 1_000) + strings.Repeat("}", 1_000) + "\n",
		"deep-list": object + "data: " + strings.Repeat("[", 5_000_000),
		"indented":  object + "data:\n" + strings.Repeat(" ", 1000) + "a: b\n",
		"keys":      object + "data:\n" + keys.String(),
		"aliases":   object + aliases.String(),
		"documents": strings.Repeat("---\na: b\n", 2_000_000),
		"objects":   strings.Repeat(object+"---\n", 400_000),
		"items":     "apiVersion: v1\nkind: List\nitems:\n" + strings.Repeat("- {apiVersion: v1, kind: A}\n", 1_000_000),
	} {
		writeWork(t, dir, "evil", name, "x.yaml", pack(text))
	}
	writeWork(t, dir, "evil", "letters", "README.txt", pack(strings.Repeat("a", 250_000_000)))
	lists := pack(object + "l: [" + strings.Repeat("[],", 10_000_000) + "]\n")
	for i := range (64 << 20) / len(lists) {
		writeWork(t, dir, "evil", fmt.Sprintf("lists-%d", i), "x.yaml", lists)
	}
}

func writeLargest(t *testing.T, dir string) {
	t.Helper()
	packed := kratix.Encode([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\nl: [" + strings.Repeat("[],", 96_000) + "]\n"))
	for i := range 1_000 {
		writeWork(t, dir, "evil", fmt.Sprintf("values-%d", i), "x.yaml", packed)
	}
}

func writeInputs(t *testing.T, dir string) {
	t.Helper()
	for name, text := range map[string]string{
		"lists.yaml":     "l: [" + strings.Repeat("[],", 10_000_000) + "]\n",
		"lists.json":     `{"apiVersion": "v1", "kind": "List", "items": [` + strings.Repeat("[],", 10_000_000) + "[]]}",
		"works.yaml":     "apiVersion: v1\nkind: List\nitems:\n" + strings.Repeat("- {apiVersion: platform.kratix.io/v1alpha1, kind: Work}\n", 500_000),
		"documents.yaml": strings.Repeat("---\na: b\n", 500_000),
		"deep.yaml":      strings.Repeat("{a: ", 1_000_000),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// program builds the program without the race detector, which needs several times the memory.
func program(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "kratix-schedule")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

func TestBombsTakeLittleMemory(t *testing.T) {
	testkit.Slow(t)
	const budget, beyond = 128, 256 // both in MiB
	binary := program(t)
	for name, bombs := range map[string]struct {
		write func(*testing.T, string)
		told  []string
	}{
		"in Works": {writeBombs, []string{
			"its file README.txt unpacks to 238.4 MiB, more than the 32 MiB that a file may have", "more than the 128.0 MiB of --max-unpacked",
			"levels deep", "documents in one file", "values in one document", "aliases stand for", "too many keys",
		}},
		"the largest that are read": {writeLargest, []string{"more than the 128.0 MiB of --max-unpacked"}},
		"of the input":              {writeInputs, []string{"more than is read", "490000 more documents"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			bombs.write(t, dir)
			writeWork(t, dir, "good", "good", "x.yaml", kratix.Encode([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n")))
			out, code, peak := runMeasured(t, binary, "300MiB", "validate", dir, "--config", "none", "--max-unpacked", fmt.Sprintf("%dMi", budget), "-o", "json")
			t.Logf("%d MiB", peak>>10)
			if peak>>10 > budget+beyond {
				t.Errorf("it took %d MiB", peak>>10)
			}
			if code != exitFindings || !strings.Contains(out, `{"work":"good/good","directory":".","destination":"assumed-1","state":"placed"`) {
				t.Errorf("exit %d: %.5000s", code, out)
			}
			for _, told := range bombs.told {
				if !strings.Contains(out, told) {
					t.Errorf("it does not say %q: %.5000s", told, out)
				}
			}
		})
	}
}

// writeGrowing writes a Work with a large object and kustomizations that multiply it.
func writeGrowing(t *testing.T, dir string) {
	t.Helper()
	var workloads []string
	add := func(file, content string) {
		workloads = append(workloads, fmt.Sprintf(`{"filepath": %q, "content": %q}`, file, kratix.Encode([]byte(content))))
	}
	add("kustomization.yaml", "resources: [k7]\n")
	add("k0/kustomization.yaml", "resources: [m.yaml]\n")
	add("k0/m.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: "+strings.Repeat("b", 8_000_000)+"}\n")
	for level := 1; level < 8; level++ {
		for _, side := range []string{"a", "b"} {
			add(fmt.Sprintf("%s%d/kustomization.yaml", side, level), fmt.Sprintf("namePrefix: %s\nresources: [../k%d]\n", side, level-1))
		}
		add(fmt.Sprintf("k%d/kustomization.yaml", level), fmt.Sprintf("resources: [../a%d, ../b%d]\n", level, level))
	}
	text := fmt.Sprintf(`{"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Work", "metadata": {"name": "growing", "namespace": "evil"}, "spec": {"promiseName": "p", "resourceName": "growing",
"workloadGroups": [{"id": %q, "directory": ".", "workloads": [%s]}]}}`, kratix.GroupID("."), strings.Join(workloads, ", "))
	writeInput(t, filepath.Join(dir, "growing.yaml"), text)
}

func TestProgramAndItsBuildStayWithinTheMemoryLimit(t *testing.T) {
	testkit.Slow(t)
	const limit = 1 << 10 // in MiB, as in deploy
	dir := t.TempDir()
	writeGrowing(t, dir)
	for i := range 16 {
		writeWork(t, dir, "evil", fmt.Sprintf("letters-%d", i), "README.txt", kratix.Encode([]byte(fmt.Sprint(i, strings.Repeat("a", 30_000_000)))))
	}
	out, code, peak := runMeasured(t, program(t), fmt.Sprintf("%dMiB", limit), "validate", dir, "--config", "none")
	t.Logf("%d MiB", peak>>10)
	if peak>>10 > limit {
		t.Errorf("they took %d MiB", peak>>10)
	}
	if code != exitFindings || !strings.Contains(out, "kustomize was ended by its limits: it may take 256 MiB of memory, a quarter of GOMEMLIMIT") || !strings.Contains(out, "16 placed, 1 held back") {
		t.Errorf("exit %d: %.5000s", code, out)
	}
}

// runMeasured runs a program, and returns the sum of its peak memory and that of its largest child
// process, in kB.
func runMeasured(t *testing.T, binary, limit string, args ...string) (printed string, code, peak int) {
	t.Helper()
	var out bytes.Buffer
	command := exec.CommandContext(t.Context(), binary, args...)
	command.Env = append(os.Environ(), "GOMEMLIMIT="+limit)
	command.Stdout, command.Stderr = &out, &out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait()
	}()
	// The kernel reports the peak of a process while it runs.
	build := 0
	for {
		peak = max(peak, peakMemory(command.Process.Pid))
		for _, child := range childrenOf(command.Process.Pid) {
			if pid, err := strconv.Atoi(child); err == nil && isRunning([]string{child}) { // a child that has not called exec has the memory of its parent
				build = max(build, peakMemory(pid))
			}
		}
		select {
		case <-ended:
			return out.String(), command.ProcessState.ExitCode(), peak + build
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func peakMemory(pid int) int {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.SplitN(line, "\n", 2)[0], "kB")))
	return kilobytes
}
