package kustomize

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

const memoryVariable = "KUSTOMIZE_TEST_READ"

func burdens() map[string]func() string {
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	fill := func(text string, cost int) string { return strings.Repeat(text, (maxFileNodes-50)/cost) }
	pod := func(nodes int) string {
		return "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - name: x\n    args:\n" + strings.Repeat("    - x\n", nodes)
	}
	return map[string]func() string{
		"empty lists": func() string { return object + "data: [" + fill("[],", 3) + "]\n" },
		"dashes":      func() string { return object + "data:\n" + fill("- x\n", 1) },
		"list of objects": func() string {
			return "apiVersion: v1\nkind: List\nitems:\n" + fill("- {apiVersion: v1, kind: Pod, metadata: {name: x}}\n", 150)
		},
		"far too many lists":   func() string { return object + "l: [" + strings.Repeat("[],", 10_000_000) + "]\n" },
		"aliases":              func() string { return string(doublings(15)) + object },
		"much, with one alias": func() string { return object + "a: &a x\nb: *a\nl: [" + strings.Repeat("[],", 10_000_000) + "]\n" },
		"one Pod":              func() string { return pod(maxFollowed - 50) },
		"one Pod of too much":  func() string { return pod(maxFileNodes - 50) },
		"Pods":                 func() string { return strings.Repeat(pod(maxFollowed-50)+"---\n", 20) },
		"many documents":       func() string { return strings.Repeat(object+"---\n", maxDocuments) },
		"far too many":         func() string { return strings.Repeat(object+"---\n", 400_000) },
	}
}

func TestMemoryIsBounded(t *testing.T) {
	testkit.Slow(t)
	if name := os.Getenv(memoryVariable); name != "" {
		var cache Cache
		text := burdens()[name]()
		cache.Load([][]byte{[]byte(text), []byte(text + "# another\n")})
		fmt.Printf("peak=%d\n", peak(t))
		return
	}
	const mebibyte = 1 << 20
	// The test is built without the race detector, which would multiply the memory of the child
	// process.
	binary := filepath.Join(t.TempDir(), "kustomize.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for name, text := range burdens() {
		t.Run(name, func(t *testing.T) {
			command := exec.CommandContext(t.Context(), binary, "-test.run=^TestMemoryIsBounded$", "-test.v")
			command.Env = append(os.Environ(), memoryVariable+"="+name, "GOMEMLIMIT=256MiB", "GOGC=50")
			out, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			_, found, _ := strings.Cut(string(out), "peak=")
			kilobytes, err := strconv.Atoi(strings.Fields(found)[0])
			if err != nil {
				t.Fatal(err)
			}
			own := 3 * len(text())
			t.Logf("%d MiB, including %d MiB of files", kilobytes>>10, own/mebibyte)
			if took := kilobytes<<10 - own; took > 256*mebibyte+60*mebibyte {
				t.Errorf("it took %d MiB", took/mebibyte)
			}
		})
	}
}

func peak(t *testing.T) int {
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
