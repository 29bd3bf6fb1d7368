package applycheck

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestProfileIsParsedAsWritten(t *testing.T) {
	p := &Profile{
		KubernetesVersion: "v1.36.3", Kinds: []ServedKind{{APIVersion: "v1", Kind: "ConfigMap", Namespaced: true}}, Namespaces: []string{"default"},
	}
	text, err := p.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ParseProfile(text)
	if err != nil {
		t.Fatal(err)
	}
	p.APIVersion, p.Kind = ProfileAPIVersion, ProfileKind
	if diff := cmp.Diff(p, got); diff != "" {
		t.Error(diff)
	}
}

func TestProfileOfAnotherKindIsAnError(t *testing.T) {
	if _, err := ParseProfile([]byte("apiVersion: v1\nkind: ConfigMap\n")); err == nil {
		t.Error("no error")
	}
}
