package kustomize_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func secretFiles(t *testing.T, files map[string]string) string {
	t.Helper()
	var all []tree.Path
	for name := range files {
		all = append(all, testkit.Path(name))
	}
	slices.SortFunc(all, tree.Compare)
	found, err := kustomize.SecretFiles(all, func(path tree.Path) ([]byte, error) { return []byte(files[path.String()]), nil })
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for path := range found {
		names = append(names, path.String())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestSecretFilesReturnsTheFilesInSecrets(t *testing.T) {
	const plugin = "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: x}\nfiles: [x.key]\n"
	for name, row := range map[string]struct {
		// manifest is the content of r/kustomization.yaml.
		manifest string
		others   map[string]string
		want     string
	}{
		"files":                {manifest: "secretGenerator:\n- name: x\n  files: [a.key, b=d/b.key]\n", want: "r/a.key r/d/b.key"},
		"envs":                 {manifest: "secretGenerator:\n- {name: x, envs: [a.env], env: b.env}\n", want: "r/a.env r/b.env"},
		"several generators":   {manifest: "secretGenerator:\n- files: [a]\n- files: [b]\n", want: "r/a r/b"},
		"a file elsewhere":     {manifest: "secretGenerator:\n- files: [../s/a.key, ./b.key]\n", want: "r/b.key s/a.key"},
		"a file outside":       {manifest: "secretGenerator:\n- files: [../../a.key]\n"},
		"a directory":          {manifest: "secretGenerator:\n- files: [d]\n", others: map[string]string{"r/d/a": "", "r/e": ""}, want: "r/d r/d/a"},
		"in another case":      {manifest: "SECRETGENERATOR:\n- Files: [a]\n", want: "r/a"},
		"by an alias":          {manifest: "configMapGenerator:\n- &g {name: x, files: [a]}\nsecretGenerator: [*g]\n", want: "r/a"},
		"literals":             {manifest: "secretGenerator:\n- literals: [a=b]\n"},
		"config maps":          {manifest: "configMapGenerator:\n- files: [a]\n"},
		"a patch":              {manifest: "patches:\n- {path: p.yaml, target: {kind: Secret}}\n", want: "r/p.yaml"},
		"an old patch":         {manifest: "patchesJson6902:\n- {path: p.json, target: {version: v1, kind: Secret, name: x}}\n", want: "r/p.json"},
		"a patch of any kind":  {manifest: "patches:\n- {path: p.yaml, target: {labelSelector: a=b}}\n", want: "r/p.yaml"},
		"a patch of others":    {manifest: "patches:\n- {path: p.yaml, target: {kind: Deployment}}\n- {path: q.yaml}\n"},
		"malformed":            {manifest: "secretGenerator:\n- files: {a: b}\n", others: map[string]string{"r/a": "", "r/d/b": "", "s": ""}, want: "r/a r/d/b r/kustomization.yaml"},
		"malformed, no secret": {manifest: "patches: {a: b}\n", others: map[string]string{"r/a": ""}},
		"an inline plugin":     {manifest: "generators:\n- |-\n  apiVersion: builtin\n  kind: SecretGenerator\n  metadata: {name: x}\n  envs: [a.env]\n", want: "r/a.env"},
		"a plugin's file":      {manifest: "generators: [d/g.yaml]\n", others: map[string]string{"r/d/g.yaml": plugin}, want: "r/x.key"},
		"a plugin's directory": {manifest: "generators: [../g]\n", others: map[string]string{"g/kustomization.yaml": "resources: [g.yaml]\n", "g/g.yaml": plugin}, want: "r/x.key"},
		"a plugin in a circle": {manifest: "generators: [../r]\nresources: [../r]\n"},
		"a plugin of patches": {manifest: "transformers: [t.yaml]\n", others: map[string]string{
			"r/t.yaml": "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: x}\npath: p.yaml\ntarget: {kind: Secret}\n"}, want: "r/p.yaml"},
		"another plugin": {manifest: "generators: [g.yaml]\n", others: map[string]string{"r/g.yaml": strings.Replace(plugin, "Secret", "ConfigMap", 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"r/kustomization.yaml": row.manifest}
			for path, content := range row.others {
				files[path] = content
			}
			if got := secretFiles(t, files); got != row.want {
				t.Errorf("got %q, want %q", got, row.want)
			}
		})
	}
}

func TestSecretFilesNameTheirKustomization(t *testing.T) {
	manifest := testkit.Path("r/Kustomization")
	found, err := kustomize.SecretFiles([]tree.Path{manifest}, func(tree.Path) ([]byte, error) { return []byte("secretGenerator: [{files: [a]}]"), nil })
	if err != nil || found[testkit.Path("r/a")] != manifest {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestSecretFilesFailIfAFileCannotBeRead(t *testing.T) {
	broken := errors.New("broken")
	_, err := kustomize.SecretFiles([]tree.Path{testkit.Path("kustomization.yaml")}, func(tree.Path) ([]byte, error) { return nil, broken })
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}
