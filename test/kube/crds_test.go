package kube

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func withDefinitions(t testing.TB) *cluster {
	t.Helper()
	c := emptyCluster(t)
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/crds"))
	c.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	return c
}

func TestDefinitionsRefuseAndFillIn(t *testing.T) {
	t.Parallel()
	c := withDefinitions(t)
	for i, test := range []struct{ kind, spec, refused, path, stored string }{
		{kind: "Destination", spec: "{path: a}", path: "{.spec}", stored: `{"cleanup":"none","filepath":{"mode":"nestedByMetadata"},"initWorkloads":{"enabled":true},"path":"a"}`},
		{kind: "Destination", spec: "{path: a, filepath: {}, initWorkloads: {}}", path: "{.spec.filepath.mode} {.spec.initWorkloads.enabled}", stored: "nestedByMetadata true"},
		{kind: "Destination", spec: "{path: a, filepath: {filename: b.yaml}}", path: "{.spec.filepath.mode}", stored: "nestedByMetadata"},
		{
			kind: "Destination", spec: "{path: a, cleanup: all, filepath: {mode: aggregatedYAML}, initWorkloads: {enabled: false}, stateStoreRef: {kind: GitStateStore, name: a}}",
			path: "{.spec.cleanup} {.spec.filepath.mode} {.spec.initWorkloads.enabled} {.spec.stateStoreRef.kind}", stored: "all aggregatedYAML false GitStateStore",
		},
		{kind: "Destination", spec: "{path: a, stateStoreRef: {kind: BucketStateStore, name: a}}", path: "{.spec.stateStoreRef.name}", stored: "a"},
		{kind: "Destination", spec: "{}", refused: "spec.path: Required value"},
		{kind: "Destination", spec: "{path: a, stateStoreRef: {name: a}}", refused: "spec.stateStoreRef.kind: Required value"},
		{kind: "Destination", spec: "{path: a, stateStoreRef: {kind: GitStateStore}}", refused: "spec.stateStoreRef.name: Required value"},
		{kind: "Destination", spec: "{path: a, stateStoreRef: {kind: StateStore, name: a}}", refused: `supported values: "GitStateStore", "BucketStateStore"`},
		{kind: "Destination", spec: "{path: a, cleanup: some}", refused: "spec.cleanup: Unsupported value"},
		{kind: "Destination", spec: "{path: a, filepath: {mode: flat}}", refused: "spec.filepath.mode: Unsupported value"},

		{kind: "GitStateStore", spec: "{url: a}", path: "{.spec}", stored: `{"authMethod":"basicAuth","branch":"main","gitAuthor":{"name":"kratix"},"url":"a"}`},
		{kind: "GitStateStore", spec: "{url: a, authMethod: ssh, branch: b, gitAuthor: {email: e}}", path: "{.spec.authMethod} {.spec.branch} {.spec.gitAuthor}", stored: `ssh b {"email":"e"}`},
		{kind: "GitStateStore", spec: "{}", path: "{.spec.branch}", stored: "main"}, // the default of Kratix
		{kind: "GitStateStore", spec: "{authMethod: token}", refused: "spec.authMethod: Unsupported value"},

		{kind: "BucketStateStore", spec: "{bucketName: a, endpoint: b}", path: "{.spec}", stored: `{"authMethod":"accessKey","bucketName":"a","endpoint":"b"}`},
		{kind: "BucketStateStore", spec: "{bucketName: a, endpoint: b, authMethod: IAM}", path: "{.spec.authMethod}", stored: "IAM"},
		{kind: "BucketStateStore", spec: "{endpoint: b}", refused: "spec.bucketName: Required value"},
		{kind: "BucketStateStore", spec: "{bucketName: a}", refused: "spec.endpoint: Required value"},
		{kind: "BucketStateStore", spec: "{bucketName: a, endpoint: b, authMethod: ssh}", refused: "spec.authMethod: Unsupported value"},
	} {
		object := fmt.Sprintf("object-%d", i)
		text := "apiVersion: platform.kratix.io/v1alpha1\nkind: " + test.kind + "\nmetadata: {name: " + object + "}\nspec: " + test.spec + "\n"
		_, err := c.try("create", "-f", c.write("object.yaml", text))
		switch {
		case test.refused != "" && (err == nil || !strings.Contains(err.Error(), test.refused)):
			t.Errorf("%s %s: got %v, want it refused with %q", test.kind, test.spec, err, test.refused)
		case test.refused == "" && err != nil:
			t.Errorf("%s %s: %v", test.kind, test.spec, err)
		case test.refused == "":
			if got := c.get(test.kind+" "+object, test.path); got != test.stored {
				t.Errorf("%s %s: it is stored as %s, want %s", test.kind, test.spec, got, test.stored)
			}
		}
	}
}

func TestFilepathModeIsImmutable(t *testing.T) {
	t.Parallel()
	c := withDefinitions(t)
	for name, spec := range map[string]string{
		"default": "{path: a}", "empty": "{path: a, filepath: {}}", "nested": "{path: a, filepath: {mode: nestedByMetadata}}", "flat": "{path: a, filepath: {mode: none}}",
	} {
		c.apply("apiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: " + name + "}\nspec: " + spec + "\n")
	}
	for _, test := range []struct {
		object, patch string
		refused       bool
	}{
		{"default", `{"spec":{"filepath":{"mode":"none"}}}`, true},
		{"empty", `{"spec":{"filepath":{"mode":"none"}}}`, true},
		{"nested", `{"spec":{"filepath":{"mode":"aggregatedYAML"}}}`, true},
		{"flat", `{"spec":{"filepath":{"mode":"nestedByMetadata"}}}`, true},
		{"flat", `{"spec":{"filepath":{"mode":null}}}`, true},
		{"flat", `{"spec":{"filepath":null}}`, true},
		{"flat", `{"spec":{"filepath":{"mode":"none","filename":"a.yaml"}}}`, false},
		{"default", `{"spec":{"filepath":{"mode":"nestedByMetadata"}}}`, false},
		{"nested", `{"spec":{"filepath":{"mode":null}}}`, false},
		{"nested", `{"spec":{"filepath":null}}`, false},
		{"nested", `{"spec":{"path":"b","cleanup":"all"}}`, false},
	} {
		_, err := c.try("patch", "destination", test.object, "--type=merge", "-p", test.patch)
		if refused := err != nil && strings.Contains(err.Error(), "filepath.mode is immutable"); refused != test.refused || err != nil && !refused {
			t.Errorf("%s %s: got %v, want it refused: %v", test.object, test.patch, err, test.refused)
		}
	}
	for object, want := range map[string]string{"default": "nestedByMetadata", "empty": "nestedByMetadata", "nested": "nestedByMetadata", "flat": "none"} {
		if got := c.get("destination "+object, "{.spec.filepath.mode}"); got != want {
			t.Errorf("the mode of %s is %q, want %s", object, got, want)
		}
	}
}

var manifests = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```")

func TestShippedObjectsApply(t *testing.T) {
	t.Parallel()
	c := withDefinitions(t)
	applied := 0
	apply := func(path, text string) {
		isRecord := strings.Contains(text, "config.kubernetes.io/local-config") // a record is a file in a store and not an object of the API server
		if isRecord || !regexp.MustCompile(`(?m)^apiVersion: platform\.kratix\.io/`).MatchString(text) {
			return
		}
		applied++
		if _, err := c.try("apply", "--dry-run=server", "--validate=strict", "-f", c.write("manifest.yaml", text)); err != nil {
			t.Errorf("%s: %v\n%s", path, err, text)
		}
	}
	for _, dir := range []string{"testdata", "docs"} {
		must(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			switch filepath.Ext(path) {
			case ".yaml":
				apply(path, string(text))
			case ".md":
				for _, block := range manifests.FindAllStringSubmatch(string(text), -1) {
					apply(path, block[1])
				}
			}
			return nil
		}))
	}
	if applied < 7 {
		t.Errorf("only %d manifests were found", applied)
	}
}
