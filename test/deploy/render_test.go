package deploy

import (
	"io"
	"log"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

const shipped = "../../deploy"

const chartDir = shipped + "/charts/kratix-schedule"

// release is the name of the Helm release and of its namespace.
const release = "kratix-schedule"

type objects map[string]map[string]any

func (o objects) add(t *testing.T, text string) {
	t.Helper()
	for document := range strings.SplitSeq("\n"+text, "\n---") {
		object := map[string]any{}
		if err := yaml.UnmarshalStrict([]byte(document), &object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object) == 0 {
			continue
		}
		metadata, _ := object["metadata"].(map[string]any)
		namespace, _ := metadata["namespace"].(string)
		name, _ := metadata["name"].(string)
		kind, _ := object["kind"].(string)
		id := kind + " " + namespace + "/" + name
		if _, twice := o[id]; twice || kind == "" || name == "" {
			t.Fatalf("%q is there twice, or is no object:\n%s", id, document)
		}
		o[id] = object
	}
}

func render(t *testing.T, name, values string) objects {
	t.Helper()
	made, err := tryRender(t, name, values)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func tryRender(t *testing.T, name, values string) (objects, error) {
	t.Helper()
	files, err := renderFiles(t, name, values)
	if err != nil {
		return nil, err
	}
	made := objects{}
	for path, text := range files {
		if filepath.Ext(path) == ".yaml" {
			made.add(t, text)
		}
	}
	return made, nil
}

func notes(t *testing.T, values string) string {
	t.Helper()
	files, err := renderFiles(t, release, values)
	if err != nil {
		t.Fatal(err)
	}
	return files["kratix-schedule/templates/NOTES.txt"]
}

func renderFiles(t *testing.T, name, values string) (map[string]string, error) {
	t.Helper()
	chart, err := loader.LoadDir(chartDir)
	if err != nil {
		t.Fatal(err)
	}
	given, err := chartutil.ReadValues([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	options := chartutil.ReleaseOptions{Name: name, Namespace: release, IsInstall: true}
	merged, err := chartutil.ToRenderValues(chart, given, options, nil)
	if err != nil {
		return nil, err
	}
	return engine.Engine{Strict: true}.Render(chart, merged)
}

func build(t *testing.T, dirs ...string) objects {
	t.Helper()
	log.SetOutput(io.Discard)
	made := objects{}
	for _, dir := range dirs {
		built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(shipped, dir))
		if err != nil {
			t.Fatal(err)
		}
		text, err := built.AsYaml()
		if err != nil {
			t.Fatal(err)
		}
		made.add(t, string(text))
	}
	return made
}

func (o objects) without(ids ...string) objects {
	rest := maps.Clone(o)
	for _, id := range ids {
		delete(rest, id)
	}
	return rest
}

func (o objects) at(t *testing.T, id string, path ...any) any {
	t.Helper()
	var value any = o[id]
	for _, step := range path {
		switch here := value.(type) {
		case map[string]any:
			key, _ := step.(string)
			value = here[key]
		case []any:
			i, _ := step.(int)
			if i >= len(here) {
				t.Fatalf("%s has nothing at %v", id, path)
			}
			value = here[i]
		default:
			t.Fatalf("%s has nothing at %v", id, path)
		}
	}
	return value
}
