package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/kratix"
)

// bombsVariable names the directory that the child process of TestBombs reads.
const bombsVariable = "KRATIX_SCHEDULE_TEST_BOMBS"

// writeWork writes a Work with one file into a file of its own.
func writeWork(t *testing.T, dir, namespace, name, file, packed string) {
	t.Helper()
	text := fmt.Sprintf(`{"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Work", "metadata": {"name": %q, "namespace": %q}, "spec": {"promiseName": "p", "resourceName": %q,
"workloadGroups": [{"id": %q, "directory": ".", "workloads": [{"filepath": %q, "content": %q}]}]}}`, name, namespace, name, kratix.GroupID("."), file, packed)
	if err := os.WriteFile(filepath.Join(dir, namespace+"-"+name+".yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeBombs writes 64 MiB of Works that unpack to 50 GiB, and one that is good.
func writeBombs(t *testing.T, dir string) {
	t.Helper()
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	pack := func(text string) string { return kratix.Encode([]byte(text)) }
	var aliases strings.Builder
	aliases.WriteString("a0: &a0 x\n")
	for i := range 60 {
		fmt.Fprintf(&aliases, "a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	for name, text := range map[string]string{
		"deep":      object + "data: " + strings.Repeat("{a: ", 1_000_000),
		"levels":    object + "data: " + strings.Repeat("{a: ", 1_000) + strings.Repeat("}", 1_000) + "\n",
		"deep-list": object + "data: " + strings.Repeat("[", 5_000_000),
		"indented":  object + "data:\n" + strings.Repeat(" ", 1000) + "a: b\n",
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
	writeWork(t, dir, "good", "good", "x.yaml", pack("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good}\n"))
}

// TestBombsTakeLittleMemory: what a Work unpacks to, and what kustomize would make
// of it, does not end the process; the good Work is placed. What counts is all that
// the process takes, the program and the input included.
func TestBombsTakeLittleMemory(t *testing.T) {
	const budget, beyond = 128, 256 // MiB
	if dir := os.Getenv(bombsVariable); dir != "" {
		var out bytes.Buffer
		code := execute(context.Background(), []string{"validate", dir, "--config", "none", "--max-unpacked", fmt.Sprintf("%dMi", budget), "-o", "json"}, streams{out: &out, err: &out})
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, `"good/good"`) || strings.Contains(line, `"summary"`) || !strings.Contains(line, "lists-") {
				fmt.Print(line)
			}
		}
		fmt.Printf("\nexit=%d peak=%d\n", code, peakMemory(t))
		return
	}
	dir := t.TempDir()
	writeBombs(t, dir)
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestBombsTakeLittleMemory$", "-test.v")
	command.Env = append(os.Environ(), bombsVariable+"="+dir, "GOMEMLIMIT=300MiB")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var code, kilobytes int
	if _, err := fmt.Sscanf(string(out[bytes.LastIndex(out, []byte("exit=")):]), "exit=%d peak=%d", &code, &kilobytes); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%d MiB", kilobytes>>10)
	if kilobytes>>10 > budget+beyond {
		t.Errorf("it took %d MiB", kilobytes>>10)
	}
	if code != exitFindings || !strings.Contains(string(out), `{"work":"good/good","directory":".","destination":"assumed-1","state":"placed"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	for _, told := range []string{
		"its file README.txt unpacks to 238.4 MiB, more than the 32 MiB that a file may have",
		"more than the 128.0 MiB of --max-unpacked", "levels deep", "documents in one file", "values in one document", "aliases stand for",
	} {
		if !strings.Contains(string(out), told) {
			t.Errorf("it does not say %q: %s", told, out)
		}
	}
}

// peakMemory returns the most memory that this process has had, in kilobytes.
func peakMemory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip(err)
	}
	_, line, found := strings.Cut(string(status), "VmHWM:")
	if !found {
		t.Skip("the system does not tell")
	}
	kilobytes, err := strconv.Atoi(strings.Fields(line)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes
}
