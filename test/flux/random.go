package flux

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

type maker struct {
	*rand.Rand
	files map[string]string
}

// Tree returns the random tree for a seed.
func Tree(seed uint64) []tree.File {
	m := &maker{Rand: rand.New(rand.NewPCG(seed, 4)), files: map[string]string{}} //nolint:gosec // not a secret
	for range 1 + m.IntN(7) {
		m.files[m.path()] = m.file()
	}
	m.extras()
	var files []tree.File
	for name, content := range m.files {
		path, err := tree.ParsePath(name)
		if err != nil {
			panic(err)
		}
		files = append(files, tree.File{Path: path, Content: []byte(content)})
	}
	files = separate(files)
	tree.SortFiles(files)
	return files
}

func separate(files []tree.File) []tree.File {
	return slices.DeleteFunc(files, func(f tree.File) bool {
		return slices.ContainsFunc(files, func(o tree.File) bool { return o.Path != f.Path && o.Path.Within(f.Path) })
	})
}

func (m *maker) extras() {
	switch m.IntN(10) {
	case 0:
		m.files[m.dir()+m.pick(".sourceignore")] = m.pick("b.yaml\n", "# none\n\n*.yml\n", "/a/\n!b.yaml\n", "a/**/b.yaml\n", "*\n!/a\n", "b*\n!b.yaml\n", "c/\n")
	case 1, 2:
		dir := m.subdir()
		m.files[dir+"inside.yaml"] = m.file()
		m.files[dir+m.kustomizationName()] = m.kustomization()
		if m.IntN(2) == 0 {
			m.files[dir+"schema.json"] = `{"definitions": {"v1.Thing": {"x-kubernetes-group-version-kind": [{"group": "example.org", "kind": "Thing", "version": "v1"}], "properties": {}}}}`
			m.files[m.dir()+"a.yaml"] = m.file()
		}
	case 3:
		m.files["inside.yaml"] = m.file()
		m.files[m.kustomizationName()] = m.kustomization()
	case 4:
		for range 2 {
			dir := m.subdir()
			m.files[dir+"inside.yaml"] = m.file()
			m.files[dir+m.kustomizationName()] = m.kustomization()
		}
	}
}

func (m *maker) pick(some ...string) string { return some[m.IntN(len(some))] }

func (m *maker) kustomizationName() string {
	return m.pick("kustomization.yaml", "kustomization.yaml", "kustomization.yml", "Kustomization")
}

func (m *maker) dir() string {
	dir := ""
	for range m.IntN(3) {
		dir += m.pick("a/", "b/", "a-b/", "a.b/", "B/", "ä/", "c/", "a b/", "10/", "9/")
	}
	return dir
}

func (m *maker) subdir() string { return m.dir() + m.pick("a/", "b/", "c/", "b.yaml.d/") }

func (m *maker) path() string {
	return m.dir() + m.pick("a.yaml", "b.yaml", "c.yml", "a-b.yaml", "a.b.yaml", "B.yaml", "_.yaml", ".yaml", ".sops.yaml",
		"x.json", "notes.txt", "a.yaml", "b.yaml", "c.yaml", "d.yaml", "ö.yaml", "a b.yaml", "a.YAML", "0.yaml", "kustomize.yaml")
}

func (m *maker) file() string {
	switch m.IntN(24) {
	case 0:
		return m.broken()
	case 1:
		return m.pick("", "# only a comment\n", "---\n", "---\n---\n# nothing\n", "\n\n", "null\n", "--- # c\n", "...\n", "{}\n")
	case 2, 3:
		return m.list(0)
	case 4:
		return strings.ReplaceAll(m.documents(), "\n", "\r\n")
	case 5:
		return "\ufeff" + m.documents()
	case 6:
		return m.list(0) + m.separator() + m.documents()
	case 7:
		return m.anchored()
	}
	return m.documents()
}

func (m *maker) documents() string {
	docs := []string{m.object()}
	for range m.IntN(3) {
		docs = append(docs, m.object())
	}
	text := strings.Join(docs, m.separator())
	switch m.IntN(8) {
	case 0:
		text = "---\n" + text
	case 1:
		text += "---\n"
	case 2:
		text = "# a comment\n" + text
	case 3:
		text = strings.TrimSuffix(text, "\n")
	}
	return text
}

func (m *maker) separator() string {
	return m.pick("---\n", "---\n", "---\n", "--- # comment\n", "---   \n", "---\n---\n", "---\n# only a comment\n---\n", "\n---\n\n", "---\t\n")
}

func (m *maker) broken() string {
	return m.pick(
		"a: b: c\n", "values: 1\n", "- a\n- b\n", "just text\n", "\tkind: Tab\n", "apiVersion: v1\nkind: ConfigMap\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n", "apiVersion: v1\nkind: Pod\nmetadata:\n  generateName: x-\n",
		"apiVersion: v1\nmetadata:\n  name: x\n", "kind: ConfigMap\nmetadata:\n  name: m0\n", "{\n",
		"apiVersion: v1\nkind: ConfigMap\nkind: Secret\nmetadata:\n  name: m0\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m0\n  name: m1\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m0\ndata:\n  a: x\n  a: y\n",
		m.object()+"--- oops\n"+m.object(), "%YAML 1.1\n---\n"+m.object(), m.object()+"...\n---\n"+m.object(), m.object()+"...\n"+m.object(),
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: 1\n", "apiVersion: v1\nkind: ConfigMap\nmetadata: text\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m0\n  labels: {a: 1}\n", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m0\n  annotations: {a: true}\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m0\n  annotations: text\n", "apiVersion: 1\nkind: ConfigMap\nmetadata:\n  name: m0\n",
		"apiVersion: v1\nkind: List\nitems: text\n", "apiVersion: v1\nkind: List\nitems: [1]\n", "apiVersion: v1\nkind: List\nitems:\n", "apiVersion: v1\nkind: List\n",
		"apiVersion: v1\nkind: FooList\nmetadata:\n  name: l\n", "apiVersion: v1\nkind: FooList\nitems: {}\n", "a: *missing\n", "kind: [List]\n",
		"apiVersion: v1\nkind: Pod\nmetadata:\n  name: p0\nspec: text\n", "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: r\nsubjects: [x]\n",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: d\nspec:\n  template: [text]\n", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m0\n  namespace: [a]\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: \"\"\n", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m0\nlist: [~, a]\n", "\x00\n", "a: \xff\n", "kind: ''\n",
		"<<: {a: b}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m0\n", "? a\n: b\n", "!!binary aGk=\n", "--- text\n", "---text\n"+m.object(),
	)
}

func (m *maker) object() string {
	kinds := []struct{ apiVersion, kind string }{
		{"v1", "ConfigMap"}, {"v1", "ConfigMap"}, {"v1", "ConfigMap"}, {"v1", "Namespace"}, {"v1", "Secret"},
		{"apps/v1", "Deployment"}, {"apps/v1beta1", "Deployment"}, {"rbac.authorization.k8s.io/v1", "ClusterRole"},
		{"rbac.authorization.k8s.io/v1", "RoleBinding"}, {"apiextensions.k8s.io/v1", "CustomResourceDefinition"},
		{"example.org/v1", "Thing"}, {"example.org/v2", "Thing"}, {"example.org/v1", "ClusterThing"}, {"v1", "PersistentVolume"}, {"v1", "Pod"},
	}
	k := kinds[m.IntN(len(kinds))]
	if m.IntN(14) == 0 {
		return m.oddObject(k.apiVersion, k.kind)
	}
	meta := []string{"name: " + m.name()}
	if namespace := m.pick("", "", "default", "other", "''", "third"); namespace != "" {
		meta = append(meta, "namespace: "+namespace)
	}
	if m.IntN(12) == 0 {
		meta = append(meta, "annotations: {config.kubernetes.io/local-config: "+m.pick("'true'", "'false'", "\"yes\"")+"}")
	}
	if m.IntN(12) == 0 {
		return fmt.Sprintf("{\"apiVersion\": %q, \"kind\": %q, \"metadata\": {%s}}\n", k.apiVersion, k.kind, strings.Join(meta, ", "))
	}
	fields := []string{"apiVersion: " + k.apiVersion, "kind: " + k.kind, "metadata:\n  " + strings.Join(meta, "\n  ")}
	if m.IntN(6) == 0 {
		m.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	}
	return strings.Join(fields, "\n") + "\n" + m.body(k.kind)
}

func (m *maker) name() string {
	return m.pick("m0", "m1", "m2", "m3", "m4", "m5", "\"m0\"", "m6", "m7", "m8", "m9")
}

func (m *maker) body(kind string) string {
	switch {
	case kind == "Pod" && m.IntN(2) == 0:
		return "spec:\n  volumes:\n  - configMap:\n      name: " + m.name() + "\n"
	case kind == "Deployment" && m.IntN(2) == 0:
		return "spec:\n  template:\n    spec:\n      containers:\n      - envFrom:\n        - configMapRef: {name: " + m.name() + "}\n"
	case kind == "RoleBinding" && m.IntN(2) == 0:
		return "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: " + m.name() + "\nsubjects:\n- kind: ServiceAccount\n  name: x\n  namespace: other\n"
	case kind == "ConfigMap" && m.IntN(2) == 0:
		return m.pick("data:\n  a: |\n    text\n    --- not a marker\n", "data: {a: b}\n", "data:\n  list: |\n    kind: List\n", "data:\n  a: |\n    x\n---\n")
	}
	return ""
}

func (m *maker) anchored() string {
	return m.pick(
		"apiVersion: v1\nkind: &k ConfigMap\nmetadata:\n  name: &n "+m.name()+"\n  labels: {app: *n}\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: &m\n  name: "+m.name()+"\nother: *m\n",
		"x: &b {a: b}\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "+m.name()+"\ndata:\n  <<: *b\n",
		"kind: &l List\napiVersion: v1\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: "+m.name()+"}\n",
		"x: &k List\napiVersion: v1\nkind: *k\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: "+m.name()+"}\n",
		"base: &base\n  name: "+m.name()+"\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  <<: *base\n",
	)
}

func (m *maker) list(depth int) string {
	kind := m.pick("List", "List", "ConfigMapList", "ThingList", "ResourceList")
	text := "apiVersion: v1\nkind: " + kind + "\n" + m.pick("", "metadata:\n  name: l\n") + "items:\n"
	count := m.IntN(4)
	if count == 0 {
		return "apiVersion: v1\nkind: " + kind + "\nitems: []\n"
	}
	for range count {
		item := m.object()
		if depth == 0 && m.IntN(6) == 0 {
			item = m.list(1)
		}
		text += "-" + indent(item)
	}
	return text
}

func indent(text string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	return " " + strings.Join(lines, "\n  ") + "\n"
}

func (m *maker) kustomization() string {
	text := m.pick("", "", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n")
	switch m.IntN(16) {
	case 0:
		return m.pick("", "# nothing\n", "a: b: c\n", "unknown: field\n", "resources: text\n", "[]\n")
	case 1:
		return text + "resources: [missing.yaml]\n"
	case 2:
		return text + "resources: [inside.yaml, inside.yaml]\n"
	case 3:
		return text + "resources: [inside.yaml, ../a.yaml]\n"
	case 4:
		return text + m.pick("resources: [.]\n", "resources: [inside.yaml, ../b]\n", "resources: [../"+m.pick("a", "b", "c")+".yaml]\n")
	case 5:
		return text + "namespace: other\n"
	}
	text += "resources: [inside.yaml]\n"
	for range m.IntN(3) {
		text += m.pick(
			"namePrefix: m\n", "nameSuffix: \"0\"\n", "namespace: other\n", "namespace: default\n", "commonLabels: {a: b}\n",
			"configMapGenerator:\n- name: m0\n  literals: [a=b]\n", "secretGenerator:\n- name: m1\n  literals: [a=b]\n  options: {disableNameSuffixHash: true}\n",
			"images:\n- name: x\n  newTag: y\n", "patches:\n- patch: '[{\"op\": \"replace\", \"path\": \"/metadata/name\", \"value\": \"m5\"}]'\n  target: {kind: ConfigMap}\n",
			"vars:\n- name: V\n  objref: {kind: ConfigMap, name: m0, apiVersion: v1}\n",
			"buildMetadata: [originAnnotations]\n", "generatorOptions: {labels: {x: y}}\n", "sortOptions: {order: fifo}\n", "components: [../c]\n",
			"configMapGenerator:\n- name: m2\n  files: [../"+m.pick("a", "b")+".yaml]\n", "patches:\n- path: ../b.yaml\n", "transformers: [../c.yaml]\n",
			"openapi: {path: ../x.json}\n", "openapi: {path: schema.json}\n", "replacements:\n- source: {kind: ConfigMap, name: m0}\n  targets:\n  - select: {kind: Secret}\n    fieldPaths: [metadata.name]\n",
		)
	}
	return text
}
