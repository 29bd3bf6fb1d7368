package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func TestFilesBeyondTheLimitsAreNotRead(t *testing.T) {
	testkit.Slow(t)
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
	for name, c := range map[string]struct {
		content []byte
		refused bool
	}{
		"a large file":           {append([]byte(object+"#"), bytes.Repeat([]byte("x"), maxFile-len(object)-1)...), false},
		"a larger file":          {append([]byte(object+"#"), bytes.Repeat([]byte("x"), maxFile-len(object))...), true},
		"many documents":         {[]byte(strings.Repeat("\n---", maxDocuments)), false},
		"more documents":         {[]byte(strings.Repeat("\n---", maxDocuments+1)), true},
		"aliases":                {[]byte("a: &a [x, x]\nb: [*a, *a]\n" + object), false},
		"an endless alias":       {[]byte("a: &a [*a]\n" + object), true},
		"aliases without bound":  {doublings(21), true},
		"aliases within a bound": {doublings(15), false},
	} {
		t.Run(name, func(t *testing.T) {
			err := withinLimits(c.content)
			if (err != nil) != c.refused {
				t.Errorf("got %v", err)
			}
		})
	}
	for name, c := range map[string]struct {
		content string
		refused bool
	}{
		"deep maps":                {object + "data: " + strings.Repeat("{a: ", maxDepth-10) + "x" + strings.Repeat("}", maxDepth-10), false},
		"deeper maps":              {object + "data: " + strings.Repeat("{a: ", maxDepth+10) + "x" + strings.Repeat("}", maxDepth+10), true},
		"brackets in a text":       {object + "data:\n  text: |\n    " + strings.Repeat("{[", 5_000) + "\n", false},
		"much, and deep inside it": {object + "data: " + strings.Repeat("{a: ", 400) + "[" + strings.Repeat("x,", 140_000) + "]" + strings.Repeat("}", 400), true},
		"a map of many keys":       {keys(maxKeys - 10), false},
		"a map of more":            {keys(maxKeys + 1), true},
		"two maps of many":         {keys(maxKeys-10) + strings.Replace(keys(maxKeys - 10)[len(object):], "data", "binaryData", 1), true},
		"much, and not deep":       {object + "data: [" + strings.Repeat("x,", 140_000) + "]", false},
	} {
		if err := withinLimits([]byte(c.content)); errors.Is(err, ErrLimit) != c.refused {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for name, content := range map[string]string{
		"documents":         strings.Repeat(object+"---\n", maxDocuments+2),
		"objects in a list": "apiVersion: v1\nkind: List\nitems:\n" + strings.Repeat("- {apiVersion: v1, kind: A, metadata: {name: x}}\n", maxObjects+1),
	} {
		if _, err := Objects([]byte(content)); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Objects(bytes.Repeat([]byte("x"), maxFile+1)); !errors.Is(err, ErrLimit) {
		t.Errorf("Objects says %v", err)
	}
}

// doublings returns a file whose aliases expand to 2^levels nodes.
func doublings(levels int) []byte {
	text := "a0: &a0 x\n"
	for i := range levels {
		text += fmt.Sprintf("a%d: &a%d [*a%d, *a%d]\n", i+1, i+1, i, i)
	}
	return []byte(text)
}

func TestHostileInputIsParsedQuickly(t *testing.T) {
	const n = 20_000
	for name, content := range map[string]string{
		"many commas":         "s" + strings.Repeat(",", n),
		"open brackets":       strings.Repeat("[", n),
		"nested maps":         strings.Repeat("{a: ", 5_000),
		"question marks":      strings.Repeat("? ", 5_000),
		"deep indentation":    deep(1_000),
		"many markers":        strings.Repeat("---\n", n),
		"many blank lines":    strings.Repeat("\n", n),
		"many anchors":        "a: [" + strings.Repeat("&a x, ", n) + "*a]\n",
		"many keys":           keys(5_000), // the YAML library compares each key with all others
		"a list of many":      "apiVersion: v1\nkind: List\nitems:\n" + strings.Repeat("- {apiVersion: v1, kind: Pod, metadata: {name: x}}\n", 5_000),
		"lists in lists":      strings.Repeat("{apiVersion: v1, kind: List, items: [", 1_000),
		"many carriage turns": strings.Repeat("\r", n),
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			_, _ = Objects([]byte(content)) // only the time is checked
			if took := time.Since(started); took > time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func deep(levels int) string {
	var text strings.Builder
	for i := range levels {
		text.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return text.String()
}

func keys(n int) string {
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata:\n")
	for i := range n {
		fmt.Fprintf(&text, "  key-%d: x\n", i)
	}
	return text.String()
}

func TestRemoteAddressesAreRejectedBeforeTheBuild(t *testing.T) {
	disk := Lazy{}.newDisk("/root", []tree.File{})
	disk.put("/root/kustomization.yaml", []byte("resources: ['https://example.org/x.yaml']\n"))
	disk.put("/root/m.yaml", []byte("a: https://example.org/x\n"))
	if _, err := disk.ReadFile("/root/m.yaml"); err != nil {
		t.Errorf("a file that configures nothing: %v", err)
	}
	if _, err := disk.ReadFile("/root/kustomization.yaml"); !errors.Is(err, ErrRemote) {
		t.Errorf("a kustomization: %v", err)
	}
	disk = Lazy{}.newDisk("/root", nil)
	disk.put("/root/kustomization.yaml", []byte("transformers: [m.yaml]\n"))
	disk.put("/root/m.yaml", []byte("a: https://example.org/x\n"))
	if _, err := disk.ReadFile("/root/kustomization.yaml"); err != nil {
		t.Errorf("a kustomization with a transformer: %v", err)
	}
	if _, err := disk.ReadFile("/root/m.yaml"); !errors.Is(err, ErrRemote) {
		t.Errorf("what configures it: %v", err)
	}
}
