package kustomize

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"testing"
)

func seeds(f *testing.F) {
	f.Helper()
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "
	for _, seed := range []string{
		object + "a\n---\n" + object + "b\n# end\n--- # c\n" + object + "c", "\ufeff---\r\n" + object + "a\r\n---\r\n# only\r\n---\r\n" + object + "b\r\n",
		"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: x}}\n", object + "a\ndata:\n  t: |\n    --- x\n\n    y\n---\n---\n" + object + "b\n",
		"# all\napiVersion: v1\nkind: List\nitems:\n# a\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n# b\n- {apiVersion: v1, kind: Pod, metadata: {name: b}}\nmetadata: {}\n---\n" + object + "c\n",
		"a: &x {b: c}\nd: *x\n", "--- oops\n", object + "a\n---\t\n" + object + "a\n...\n", "", "\n---\n",
	} {
		f.Add([]byte(seed), uint16(1))
	}
}

func FuzzWithout(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, content []byte, mask uint16) {
		objects, err := Objects(content)
		if err != nil {
			return
		}
		var cut []int
		var left []ID
		for i, object := range objects {
			if i < 16 && mask>>i&1 == 1 {
				cut = append(cut, i)
			} else {
				left = append(left, object.ID)
			}
		}
		rest, err := Without(content, cut)
		if err != nil {
			return
		}
		checkRest(t, content, rest, left)
		if len(cut) == 0 && len(objects) > 0 && !bytes.Equal(rest, content) {
			t.Fatalf("nothing is cut out, and still %q became %q", content, rest)
		}
	})
}

func checkRest(t *testing.T, content, rest []byte, left []ID) {
	t.Helper()
	objects, err := Objects(rest)
	if err != nil {
		t.Fatalf("what is left of %q cannot be read: %q: %v", content, rest, err)
	}
	var ids []ID
	for _, object := range objects {
		ids = append(ids, object.ID)
	}
	if !slices.Equal(ids, left) {
		t.Fatalf("what is left of %q has %v, not %v", content, ids, left)
	}
	if mayHoldList(content) {
		checkLines(t, content, rest)
		return
	}
	var before [][]byte
	for _, piece := range cutAtMarkers(content) {
		before = append(before, piece.document)
	}
	for _, piece := range cutAtMarkers(rest) {
		at := slices.IndexFunc(before, func(b []byte) bool { return bytes.Equal(b, piece.document) })
		if at < 0 && len(rest) > 0 {
			t.Fatalf("%q was not in %q", piece.document, content)
		}
	}
}

func checkLines(t *testing.T, content, rest []byte) {
	t.Helper()
	lines := bytes.SplitAfter(content, []byte("\n"))
	for _, line := range bytes.SplitAfter(rest, []byte("\n")) {
		at := slices.IndexFunc(lines, func(l []byte) bool { return bytes.Equal(l, line) })
		if at < 0 && len(line) > 0 {
			t.Fatalf("%q is not a line of %q, or not there", line, content)
		}
		lines = lines[at+1:]
	}
}

func TestCanonicalIgnoresStyle(t *testing.T) {
	a, errA := Canonical([]byte("# c\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"a\"}\n"))
	b, errB := Canonical([]byte("kind: ConfigMap\nmetadata:\n  name: a # d\napiVersion: v1\n"))
	c, errC := Canonical([]byte("kind: ConfigMap\nmetadata:\n  name: c\napiVersion: v1\n"))
	if errA != nil || errB != nil || errC != nil || !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, c) {
		t.Errorf("%s %v, %s %v, %s %v", a, errA, b, errB, c, errC)
	}
}

func TestWithoutRemovesItemsOfLists(t *testing.T) {
	const (
		head = "# all\napiVersion: v1\nkind: List\nitems:\n"
		a    = "# a\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: a} # one\n"
		b    = "# b\n-   apiVersion: v1\n    kind: Pod\n    metadata:\n      name: b\n"
		tail = "metadata: {resourceVersion: ''}\n"
		doc  = "# c\napiVersion: v1\nkind: Pod\nmetadata:\n  name: c\n"
		flow = "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: Pod, metadata: {name: a}}, {apiVersion: v1, kind: Pod, metadata: {name: b}}]\n"
	)
	for name, c := range map[string]struct {
		content string
		cut     []int
		want    string
	}{
		"nothing":                   {head + a + b + tail, nil, head + a + b + tail},
		"the first":                 {head + a + b + tail, []int{0}, head + b + tail},
		"the last":                  {head + a + b + tail, []int{1}, head + a + tail},
		"all":                       {head + a + b + tail, []int{0, 1}, ""},
		"a list goes with its last": {doc + "---\n" + head + a + b, []int{1, 2}, doc},
		"a document beside a list":  {doc + "---\n" + head + a + b, []int{0}, head + a + b},
		"an item after a document":  {head + a + b + "---\n" + doc, []int{2}, head + a + "---\n" + doc},
		"all of one in one line":    {flow + "---\n" + doc, []int{1, 2}, doc},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Without([]byte(c.content), c.cut)
			if err != nil || string(got) != c.want {
				t.Errorf("got %q, error %v, want %q", got, err, c.want)
			}
		})
	}
	if _, err := Without([]byte(flow), []int{0}); !errors.Is(err, ErrInseparable) {
		t.Errorf("out of a list in one line: %v", err)
	}
}

// FuzzPlainObject compares the objects of plain files with those that kustomize's factory returns.
func FuzzPlainObject(f *testing.F) {
	seeds(f)
	for _, seed := range []string{
		"---\napiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\nspec: {ports: [{port: 80}]}\n",
		"# c\napiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: a # b\nrules: []\n",
		"apiVersion: a/b/c\nkind: K\nmetadata: {name: x, labels: {a: b}}\n<<: {d: e}\nl: [null, |\n  x\n]\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  t: |\n    x\n    y\n  n: ~\n  l: [1, null]\n",
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b}\nspec: {group: b, scope: Cluster, names: {kind: A, plural: a}}\n",
	} {
		f.Add([]byte(seed), uint16(0))
	}
	f.Fuzz(func(t *testing.T, content []byte, _ uint16) {
		object, _, ok := plainObject(content)
		if !ok {
			return
		}
		objects, err := Objects(content)
		if err != nil || len(objects) != 1 || !reflect.DeepEqual(objects[0], object) {
			t.Fatalf("%q is %v, and by kustomize %v %v", content, object, objects, err)
		}
	})
}
