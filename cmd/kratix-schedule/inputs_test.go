package main

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type odd struct {
	name string
	// files are the contents by name. A name with a trailing slash is a directory.
	files   map[string]string
	prepare func(t *testing.T)
	// args are the arguments, by default "validate in.yaml".
	args string
}

const (
	platformVersion  = "apiVersion: platform.kratix.io/v1alpha1\n"
	settingsManifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: default}\n"
)

func oddWork(name, file, content string) string {
	return fmt.Sprintf("%skind: Work\nmetadata: {name: %s}\nspec:\n  promiseName: redis\n  resourceName: %s\n  workloadGroups:\n"+
		"  - id: 5058f1af8388633f609cadb75a75dc9d\n    directory: .\n    workloads:\n    - {filepath: %q, content: %q}\n", platformVersion, name, name, file, content)
}

func packed(content string) string { return kratix.Encode([]byte(content)) }

func gzipped(t *testing.T, content string) string {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	if _, err := zip.Write([]byte(content)); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func oneFile(content string) map[string]string { return map[string]string{"in.yaml": content} }

func oddFiles(t *testing.T) []odd {
	sound := oddWork("a", "x.yaml", packed(settingsManifest))
	return []odd{
		{name: "an empty file", files: oneFile("")},
		{name: "a file with only comments", files: oneFile("# to be written\n---\n# later\n")},
		{name: "a byte order mark", files: oneFile("\ufeff" + sound)},
		{name: "a byte order mark before a document marker", files: oneFile("\ufeff---\n" + sound)},
		{name: "Windows line endings", files: oneFile(strings.ReplaceAll(sound, "\n", "\r\n"))},
		{name: "no newline at the end", files: oneFile(strings.TrimSuffix(sound, "\n"))},
		{name: "a tab for indentation", files: oneFile("apiVersion: v1\nmetadata:\n\tname: a\n")},
		{name: "Latin-1", files: oneFile(platformVersion + "kind: Work\nmetadata:\n  name: caf\xe9\n")},
		{name: "UTF-16", files: oneFile("\xff\xfea\x00:\x00")},
		{name: "a control character", files: oneFile(platformVersion + "kind: \"Work\x01\"\n")},
		{name: "gzip instead of YAML", files: oneFile(gzipped(t, sound))},
		{name: "JSON", files: map[string]string{"in.json": `{"apiVersion": "platform.kratix.io/v1alpha1", "kind": "Work", "metadata": {"name": "a"}, "spec": {"promiseName": "redis", "workloadGroups": [{"id": "5058f1af8388633f609cadb75a75dc9d", "directory": ".", "workloads": [{"filepath": "x.txt", "content": "` + packed("x") + `"}]}]}}`}, args: "validate in.json"},
		{name: "text that is not YAML", files: oneFile("a: b: c\n")},
		{name: "a Helm template", files: oneFile("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n")},
		{name: "a values file", files: oneFile("replicas: 3\n")},
		{name: "a document that is a list", files: oneFile("- a\n- b\n")},
		{name: "a document that is a string", files: oneFile("hello\n")},
		{name: "10,000 nested brackets", files: oneFile(strings.Repeat("[", 10001))},
		{name: "10,000 nested maps", files: oneFile(platformVersion + "kind: Work\na: " + strings.Repeat("{a: ", 10001) + "1" + strings.Repeat("}", 10001) + "\n")},
		{name: "a duplicate key", files: oneFile(platformVersion + "kind: Work\nmetadata: {name: a}\nmetadata: {name: b}\n")},
		{name: "an alias without an anchor", files: oneFile("a: *b\n")},
	}
}

func oddObjects() []odd {
	sound := oddWork("a", "x.yaml", packed(settingsManifest))
	return []odd{
		{name: "no apiVersion", files: oneFile("kind: Work\nmetadata: {name: a}\n")},
		{name: "no kind", files: oneFile(platformVersion + "metadata: {name: a}\n")},
		{name: "a kind in the wrong case", files: oneFile(platformVersion + "kind: work\nmetadata: {name: a}\n")},
		{name: "another version", files: oneFile("apiVersion: platform.kratix.io/v1beta1\nkind: Work\nmetadata: {name: a}\n")},
		{name: "a group without a version", files: oneFile("apiVersion: platform.kratix.io\nkind: Work\nmetadata: {name: a}\n")},
		{name: "another project's Work", files: oneFile("apiVersion: work.karmada.io/v1alpha1\nkind: Work\nmetadata: {name: a}\n")},
		{name: "plain manifests", files: oneFile(settingsManifest)},
		{name: "no name", files: oneFile(platformVersion + "kind: Work\nspec: {promiseName: redis}\n")},
		{name: "a name that is a number", files: oneFile(platformVersion + "kind: Work\nmetadata:\n  name: 7\n")},
		{name: "a label that is a number", files: oneFile(platformVersion + "kind: Work\nmetadata:\n  name: a\n  labels:\n    tier: 1\n")},
		{name: "a label with the value yes", files: oneFile(platformVersion + "kind: Work\nmetadata:\n  name: a\n  labels:\n    prod: yes\n")},
		{name: "labels that are a list", files: oneFile(platformVersion + "kind: Work\nmetadata:\n  name: a\n  labels: [a]\n")},
		{name: "an unknown field", files: oneFile(strings.Replace(sound, "promiseName:", "promisName: x\n  promiseName:", 1))},
		{name: "no promiseName", files: oneFile(platformVersion + "kind: Work\nmetadata: {name: a}\n")},
		{name: "no workload groups", files: oneFile(platformVersion + "kind: Work\nmetadata: {name: a}\nspec: {promiseName: redis}\n")},
		{name: "a group without an id", files: oneFile(platformVersion + "kind: Work\nmetadata: {name: a}\nspec: {promiseName: redis, workloadGroups: [{directory: .}]}\n")},
		{name: "a group id that does not match its directory", files: oneFile(strings.Replace(sound, "5058f1af8388633f609cadb75a75dc9d", "0123456789abcdef0123456789abcdef", 1))},
		{name: "a repeated Work", files: oneFile(sound + "---\n" + sound)},
		{name: "content that is not base64", files: oneFile(oddWork("a", "x.yaml", "hello!"))},
		{name: "base64 that is not gzip", files: oneFile(oddWork("a", "x.yaml", base64.StdEncoding.EncodeToString([]byte(settingsManifest))))},
		{name: "truncated gzip", files: oneFile(oddWork("a", "x.yaml", base64.StdEncoding.EncodeToString([]byte("\x1f\x8b\x08\x00\x00"))))},
		{name: "a path that leads out of the directory", files: oneFile(oddWork("a", "../../x.yaml", packed(settingsManifest)))},
		{name: "a file that Flux cannot build", files: oneFile(oddWork("a", "x.yaml", packed("replicas: 3\n")))},
		{name: "a List without items", files: oneFile("apiVersion: v1\nkind: List\nitems: []\n")},
		{name: "a List with an item that is not an object", files: oneFile("apiVersion: v1\nkind: List\nitems:\n- hello\n")},
		{name: "an invalid bucket name", files: oneFile(platformVersion + "kind: BucketStateStore\nmetadata: {name: a}\nspec: {bucketName: my bucket, endpoint: s3.example.com}\n")},
		{name: "a Destination without a state store", files: oneFile(platformVersion + "kind: Destination\nmetadata: {name: a}\n")},
		{name: "a Destination whose state store is missing", files: oneFile(platformVersion + "kind: Destination\nmetadata: {name: a}\nspec: {stateStoreRef: {kind: GitStateStore, name: b}}\n")},
	}
}

func oddFileTypes() []odd {
	sound := oddWork("a", "x.yaml", packed(settingsManifest))
	link := func(target string) func(*testing.T) {
		return func(t *testing.T) { must(t, os.Symlink(target, "in/link.yaml")) }
	}
	return []odd{
		{name: "a path that does not exist", args: "validate nowhere"},
		{name: "an empty directory", files: map[string]string{"in/": ""}, args: "validate in"},
		{name: "a directory with other files", files: map[string]string{"in/README.md": "x"}, args: "validate in"},
		{name: "Works in sub-directories", files: map[string]string{"in/a/in.yaml": sound, "in/b/in.yaml": sound}, args: "validate in"},
		{name: "a directory named x.yaml", files: map[string]string{"in/x.yaml/a.yaml": sound}, args: "validate in"},
		{name: "a file extension in upper case", files: map[string]string{"in/a.YAML": sound}, args: "validate in"},
		{name: "a hidden file", files: map[string]string{"in/.a.yaml": sound}, args: "validate in"},
		{name: "a symbolic link to a missing file", files: map[string]string{"in/": ""}, prepare: link("nowhere.yaml"), args: "validate in"},
		{name: "a symbolic link to a directory", files: map[string]string{"in/": "", "other/": ""}, prepare: link("../other"), args: "validate in"},
		{name: "a symbolic link to itself", files: map[string]string{"in/": ""}, prepare: link("link.yaml"), args: "validate in"},
		{name: "a named pipe", files: map[string]string{"in/": ""}, prepare: func(t *testing.T) { must(t, syscall.Mkfifo("in/pipe.yaml", 0o600)) }, args: "validate in"},
		{name: "a file without read permission", files: map[string]string{"in/a.yaml": sound}, prepare: func(t *testing.T) { must(t, os.Chmod("in/a.yaml", 0)) }, args: "validate in"},
		{name: "a directory without read permission", files: map[string]string{"in/a.yaml": sound}, prepare: func(t *testing.T) { must(t, os.Chmod("in", 0)) }, args: "validate in"},
		{name: "an empty tree", files: map[string]string{"in/": ""}, args: "validate --tree in"},
		{name: "a tree without manifests", files: map[string]string{"in/README.md": "x"}, args: "validate --tree in"},
		{name: "the directories of a pipeline", files: map[string]string{"in/input/": "", "in/output/x.yaml": settingsManifest, "in/metadata/": ""}, args: "validate in"},
		{name: "a pipeline without its request", files: map[string]string{"in/output/x.yaml": settingsManifest}, args: "validate --pipeline in --promise redis"},
		{name: "a pipeline without output", files: map[string]string{"in/input/object.yaml": "apiVersion: example.org/v1\nkind: Redis\nmetadata: {name: a}\n", "in/output/": ""}, args: "validate --pipeline in --promise redis"},
		{name: "a pipeline with a misspelt selector", files: map[string]string{
			"in/input/object.yaml": "apiVersion: example.org/v1\nkind: Redis\nmetadata: {name: a}\n", "in/output/x.yaml": settingsManifest,
			"in/metadata/destination-selectors.yaml": "- dir: x\n  matchLabels: {a: b}\n",
		}, args: "validate --pipeline in --promise redis"},
		{name: "a pipeline without --promise", files: map[string]string{"in/output/x.yaml": settingsManifest}, args: "validate --pipeline in"},
		{name: "all files excluded", files: map[string]string{"in/a.yaml": sound}, args: "validate in --exclude *.yaml"},
		{name: "an invalid pattern", files: map[string]string{"in/a.yaml": sound}, args: "validate in --exclude ["},
		{name: "a report in a directory that does not exist", files: oneFile(sound), args: "validate in.yaml -o json=nowhere/x.json"},
		{name: "an unknown command", args: "report --help"},
		{name: "an unknown sub-command", args: "config verfy --help"},
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestGeneratedInputs(t *testing.T) {
	var page strings.Builder
	page.WriteString("# Odd inputs\n\n" + generatedMark)
	page.WriteString("This page lists wrong or unusual inputs, each with the exit status and the first line of the output about it. " +
		"The next lines of the output show the file and line, and how to fix the input. [Check Works in CI](../ci.md) explains the exit statuses. " +
		"A second table lists [manifests](#manifests) that Flux might not apply.\n")
	count := 0
	for _, part := range []struct {
		title string
		rows  []odd
	}{{"Files", oddFiles(t)}, {"Objects", oddObjects()}, {"Paths and commands", oddFileTypes()}} {
		fmt.Fprintf(&page, "\n## %s\n\n| Input | Command | Status | First line |\n|---|---|---|---|\n", part.title)
		for _, row := range part.rows {
			row.args = cmp.Or(row.args, "validate in.yaml")
			t.Run(row.name, func(t *testing.T) {
				status, line := row.run(t)
				fmt.Fprintf(&page, "| %s | `%s` | %d | %s |\n", row.name, row.args, status, cell(line))
			})
			count++
		}
	}
	if count < 40 {
		t.Errorf("only %d inputs", count)
	}
	page.WriteString(oddManifests(t))
	checkFile(t, docs+"reference/inputs.md", page.String())
}

func cell(line string) string {
	return "`` " + strings.ReplaceAll(line, "|", `\|`) + " ``"
}

func (o odd) run(t *testing.T) (status int, line string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range o.files {
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(name, 0o755)) //nolint:gosec // another user reads it
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(name), 0o755))     //nolint:gosec // as above
		must(t, os.WriteFile(name, []byte(content), 0o644)) //nolint:gosec // as above
	}
	if o.prepare != nil {
		o.prepare(t)
	}
	var stdout, stderr bytes.Buffer
	asNobody(t, func() {
		status = execute(t.Context(), strings.Fields(o.args), streams{in: strings.NewReader(""), out: &stdout, err: &stderr})
	})
	first := func(text string) string { line, _, _ := strings.Cut(text, "\n"); return line }
	line = first(stdout.String())
	if status >= exitUsage && !strings.HasPrefix(line, "error ") || line == "" {
		said, _, _ := strings.Cut(stderr.String(), "\nSee '")
		said = strings.TrimSpace(said)
		line = said[strings.LastIndex(said, "\n")+1:] // notices are printed before the error
	}
	if line == "" || strings.Contains(stdout.String()+stderr.String(), "panic") {
		t.Errorf("%s: it says nothing, or panics: %s%s", o.name, stdout.String(), stderr.String())
	}
	return status, line
}

func asNobody(t *testing.T, run func()) {
	t.Helper()
	const nobody = 65534
	if os.Geteuid() != 0 {
		run()
		return
	}
	must(t, syscall.Setresuid(-1, nobody, -1))
	defer func() { must(t, syscall.Setresuid(-1, 0, -1)) }()
	run()
}
