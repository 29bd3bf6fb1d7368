package profile

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func definitionOf(t testing.TB, kind string, properties ...string) Definition {
	t.Helper()
	s := apiextensionsv1.JSONSchemaProps{Type: "object", Description: "DESCRIBED", Properties: map[string]apiextensionsv1.JSONSchemaProps{}}
	for _, name := range properties {
		s.Properties[name] = apiextensionsv1.JSONSchemaProps{Type: "string", Description: "DESCRIBED", Title: "DESCRIBED"}
	}
	crd := &apiextensionsv1.CustomResourceDefinition{Spec: apiextensionsv1.CustomResourceDefinitionSpec{
		Group: "example.com", Names: apiextensionsv1.CustomResourceDefinitionNames{Kind: kind, Plural: strings.ToLower(kind) + "s"}, Scope: apiextensionsv1.NamespaceScoped,
		Versions: []apiextensionsv1.CustomResourceDefinitionVersion{
			{Name: "v1", Served: true, Storage: true, Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: &s}}, {Name: "v1beta1"},
		},
	}}
	crd.Name = strings.ToLower(kind) + "s.example.com"
	d, err := NewDefinition(crd)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func newProfile(t testing.TB, definitions ...Definition) *Profile {
	t.Helper()
	p := &Profile{
		KubernetesVersion: "v1.36.3", Taken: metav1.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC), Namespaces: []string{"kube-system", "default", "default"},
		Kinds:       []ServedKind{{APIVersion: "v1", Kind: "Namespace"}, {APIVersion: "v1", Kind: "ConfigMap", Namespaced: true}, {APIVersion: "v1", Kind: "ConfigMap", Namespaced: true}},
		Definitions: definitions, Unread: []UnreadGroup{{Group: "metrics.k8s.io", Reason: "down"}},
	}
	p.Name, p.Annotations = "worker-1", map[string]string{"note": "lost"}
	if err := p.Normalize(); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestProfileIsReadAsWritten(t *testing.T) {
	p := newProfile(t, definitionOf(t, "Shop", "a", "description"), definitionOf(t, "Basket"))
	text, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() (*Profile, error){
		"YAML": func() (*Profile, error) { return Parse(text) },
		"ConfigMap": func() (*Profile, error) {
			packed, err := p.Pack()
			if err != nil {
				return nil, err
			}
			return Unpack(nil, map[string][]byte{PackedKey: packed})
		},
		"ConfigMap with YAML": func() (*Profile, error) { return Unpack(map[string]string{PlainKey: string(text)}, nil) },
	} {
		got, err := read()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, err := got.Marshal()
		if err != nil || !got.Equal(p) || !bytes.Equal(again, text) {
			t.Errorf("%s: %v; got\n%s\nwant\n%s", name, err, again, text)
		}
		if of := got.Definitions[1].Defines(); of.Group != "example.com" || of.Kind != "Shop" || !of.Namespaced || fmt.Sprint(of.Versions) != "[v1]" {
			t.Errorf("%s: it defines %+v", name, of)
		}
	}
	if strings.Contains(string(text), "DESCRIBED") || !strings.Contains(string(text), "description:") {
		t.Errorf("descriptions are not left out, or a property of this name is:\n%s", text)
	}
}

func TestLookups(t *testing.T) {
	p := newProfile(t)
	for gvk, want := range map[schema.GroupVersionKind]bool{
		{Version: "v1", Kind: "ConfigMap"}: true, {Version: "v1", Kind: "Namespace"}: true, {Version: "v1", Kind: "Secret"}: false, {Group: "apps", Version: "v1", Kind: "ConfigMap"}: false,
	} {
		if kind, found := p.Served(gvk); found != want || found && kind.Kind != gvk.Kind {
			t.Errorf("%s: %+v, %v", gvk, kind, found)
		}
	}
	if !p.HasNamespace("default") || !p.HasNamespace("kube-system") || p.HasNamespace("shop") || len(p.Namespaces) != 2 || len(p.Kinds) != 2 {
		t.Errorf("namespaces %v, kinds %v", p.Namespaces, p.Kinds)
	}
	if p.Lists("metrics.k8s.io") || !p.Lists("apps") {
		t.Error("the unread group is wrong")
	}
	for now, want := range map[time.Time]time.Duration{p.Taken.Add(time.Hour): time.Hour, p.Taken.Add(-time.Hour): 0} {
		if got := p.Age(now); got != want {
			t.Errorf("age %v, want %v", got, want)
		}
	}
}

const valid = `apiVersion: kratix-schedule.io/v1alpha1
kind: ClusterProfile
metadata: {name: worker-1}
taken: "2026-11-01T12:00:00Z"
kubernetesVersion: v1.36.3
kinds: [{apiVersion: v1, kind: ConfigMap, namespaced: true}]
namespaces: [default]
definitions:
- name: shops.example.com
  spec: {group: example.com, names: {kind: Shop}, scope: Namespaced, versions: [{name: v1, served: true}]}
`

func TestInvalidProfile(t *testing.T) {
	if _, err := Parse([]byte(valid)); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ old, new, want string }{
		{"kratix-schedule.io/v1alpha1", "kratix-schedule.io/v2", `it is a "ClusterProfile" of "kratix-schedule.io/v2"; a profile is a "ClusterProfile" of "kratix-schedule.io/v1alpha1"`},
		{"kind: ClusterProfile", "kind: Profile", `it is a "Profile" of`},
		{"name: worker-1", "labels: {a: b}", "metadata.name is missing"},
		{`taken: "2026-11-01T12:00:00Z"`, "", "taken is missing"},
		{`"2026-11-01T12:00:00Z"`, "yesterday", "yesterday"},
		{"kubernetesVersion: v1.36.3", "", "kubernetesVersion is missing"},
		{"v1.36.3", "newest", "kubernetesVersion: "},
		{"kinds: [{apiVersion: v1, kind: ConfigMap, namespaced: true}]", "kinds: []", "kinds are missing"},
		{"namespaces: [default]", "", "namespaces are missing"},
		{"namespaces: [default]", "namespaces: [default]\ngroups: []", `unknown field "groups"`},
		{"namespaces: [default]", "namespaces: default", "namespaces"},
		{"group: example.com, ", "", "definitions[0] (shops.example.com): spec.group or spec.names.kind is missing"},
		{"versions: [{name: v1, served: true}]", "versions: []", "definitions[0] (shops.example.com): spec.versions is missing"},
		{"versions: [{name: v1, served: true}]", "versions: 1", "definitions[0] (shops.example.com): "},
		{"  spec: {", "  spec: null\n  ignored: {", `unknown field "definitions[0].ignored"`},
		{"- name: shops.example.com\n", "- name: ''\n", "definitions[0] (): name is missing"},
		{"kinds: [", "kinds: [[", "yaml"},
	} {
		text := strings.Replace(valid, test.old, test.new, 1)
		if _, err := Parse([]byte(text)); text == valid || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: got error %v, want %s", test.new, err, test.want)
		}
	}
	if _, err := Parse(make([]byte, MaxSize+1)); err == nil || !strings.Contains(err.Error(), "more than the 64 that are read") {
		t.Errorf("a large profile: %v", err)
	}
}

func TestInvalidConfigMap(t *testing.T) {
	packed, err := newProfile(t).Pack()
	if err != nil {
		t.Fatal(err)
	}
	bomb := &Profile{KubernetesVersion: "v1.36.3", Namespaces: []string{strings.Repeat("a", MaxSize-300)}, Kinds: []ServedKind{{APIVersion: "v1", Kind: "Namespace"}}}
	bomb.Name, bomb.Taken = "worker-1", metav1.Now()
	if err := bomb.Normalize(); err != nil {
		t.Fatal(err)
	}
	large, err := bomb.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Unpack(nil, map[string][]byte{PackedKey: large}); err != nil {
		t.Error("a profile of the maximum size:", err)
	}
	bomb.Namespaces[0] += strings.Repeat("a", 300)
	if _, err := bomb.Pack(); err == nil {
		t.Error("a profile above the maximum size is packed")
	}
	for want, test := range map[string]struct {
		data       map[string]string
		binaryData map[string][]byte
	}{
		`has the label kratix-schedule.io/cluster-profile and neither binaryData["profile.json.gz"] nor data["profile.yaml"]`: {data: map[string]string{"a": "b"}},
		"has both":    {data: map[string]string{PlainKey: valid}, binaryData: map[string][]byte{PackedKey: packed}},
		"is not gzip": {binaryData: map[string][]byte{PackedKey: []byte(valid)}},
		"is cut off":  {binaryData: map[string][]byte{PackedKey: packed[:len(packed)/2]}},
		"is damaged":  {binaryData: map[string][]byte{PackedKey: append(bytes.Clone(packed[:len(packed)-8]), make([]byte, 8)...)}},
	} {
		if _, err := Unpack(test.data, test.binaryData); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
}

func TestProfileThatDoesNotFitAConfigMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	fits, tooLarge := 0, 0
	var definitions []Definition
	for i := range 12 {
		var names []string
		for range 30 {
			name := make([]byte, 4<<10)
			for i := range name {
				name[i] = byte(random.Uint32())
			}
			names = append(names, hex.EncodeToString(name))
		}
		definitions = append(definitions, definitionOf(t, fmt.Sprint("Kind", i), names...))
		packed, err := newProfile(t, definitions...).Pack()
		switch {
		case err == nil && len(packed) <= MaxConfigMap:
			fits++
		case err != nil && strings.Contains(err.Error(), "MiB compressed, and a ConfigMap at most 1 MiB; keep it as a file"):
			tooLarge++
		default:
			t.Fatalf("%d bytes: %v", len(packed), err)
		}
	}
	if fits < 3 || tooLarge < 3 {
		t.Errorf("%d fit and %d do not", fits, tooLarge)
	}
}

func TestEqualDefinitionsShareMemory(t *testing.T) {
	var names []string
	for i := range 2_000 {
		names = append(names, fmt.Sprintf("property%d", i))
	}
	text, err := newProfile(t, definitionOf(t, "Shop", names...)).marshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	const many = 50
	before := heap()
	profiles := make([]*Profile, many)
	for i := range profiles {
		if profiles[i], err = ParseJSON(text); err != nil {
			t.Fatal(err)
		}
	}
	used := heap() - before
	if most := uint64(3*len(text) + many*8<<10); used > most {
		t.Errorf("%d profiles of %d KiB take %d KiB", many, len(text)>>10, used>>10)
	}
	runtime.KeepAlive(profiles)
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(valid))
	text, err := newProfile(f, definitionOf(f, "Shop", "a")).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, content []byte) {
		p, err := Parse(content)
		if err != nil {
			return
		}
		text, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if second, err := again.Marshal(); err != nil || !bytes.Equal(text, second) {
			t.Errorf("%v; first\n%s\nthen\n%s", err, text, second)
		}
	})
}
