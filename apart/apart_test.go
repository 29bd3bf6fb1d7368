package apart

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == Argument {
		if err := Serve(os.Stdin, os.Stdout); err != nil {
			os.Exit(3)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func path(s string) tree.Path {
	p, err := tree.ParseDir(s)
	if err != nil {
		panic(err)
	}
	return p
}

func files(pairs ...string) []tree.File {
	var made []tree.File
	for i := 0; i < len(pairs); i += 2 {
		made = append(made, tree.File{Path: path(pairs[i]), Content: []byte(pairs[i+1])})
	}
	return made
}

const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"

func TestABuildApartIsAsOneHere(t *testing.T) {
	b := Builder{Program: os.Args[0]}
	for name, laid := range map[string][]tree.File{
		"it builds":          files("k/kustomization.yaml", "resources: [m.yaml]\nnamePrefix: p-\n", "k/m.yaml", object),
		"it looks outside":   files("k/kustomization.yaml", "resources: [../m.yaml]\n", "m.yaml", object),
		"it fails":           files("k/kustomization.yaml", "resources: [m.yaml]\n"),
		"it fails late":      files("k/kustomization.yaml", "resources: [m.yaml]\nvars:\n- {name: V, objref: {kind: ConfigMap, name: none, apiVersion: v1}}\n", "k/m.yaml", object),
		"it would call":      files("k/kustomization.yaml", "resources: ['https://example.org/x.yaml']\n"),
		"it is not there":    files("m.yaml", object),
		"a definition in it": files("k/kustomization.yaml", "resources: [m.yaml]\n", "k/m.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\nspec: {group: g, names: {kind: K}, scope: Cluster}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			got, gotErr := b.Nested(path("r"), path("k"), laid)
			want, wantErr := kustomize.BuildNested(path("r"), path("k"), laid)
			if !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || errors.Is(gotErr, kustomize.ErrRemote) != errors.Is(wantErr, kustomize.ErrRemote) {
				t.Errorf("got %v %v, want %v %v", got, gotErr, want, wantErr)
			}
			units := []tree.Path{path("k")}
			if got, want := b.Units(path("r"), units, laid), kustomize.BuildUnits(path("r"), units, laid); fmt.Sprint(got) != fmt.Sprint(want) || errors.Is(got, kustomize.ErrRemote) != errors.Is(want, kustomize.ErrRemote) {
				t.Errorf("built: got %v, want %v", got, want)
			}
		})
	}
}

// doubling is a small tree of kustomizations, each of which takes the one below
// twice.
func doubling(levels int) []tree.File {
	laid := files("k0/kustomization.yaml", "resources: [m.yaml]\n", "k0/m.yaml", object)
	for i := range levels {
		for _, side := range []string{"a", "b"} {
			laid = append(laid, files(fmt.Sprintf("%s%d/kustomization.yaml", side, i+1), fmt.Sprintf("namePrefix: %s\nresources: [../k%d]\n", side, i))...)
		}
		laid = append(laid, files(fmt.Sprintf("k%d/kustomization.yaml", i+1), fmt.Sprintf("resources: [../a%d, ../b%d]\n", i+1, i+1))...)
	}
	return laid
}

func TestABuildWithoutEndIsEndedAndOthersGoOn(t *testing.T) {
	laid := doubling(40)
	b := Builder{Program: os.Args[0], Patience: 2 * time.Second}
	started := time.Now()
	_, err := b.Nested(path("r"), path("k40"), laid)
	if err == nil || !strings.Contains(err.Error(), "did not come to an end in 2s") && !strings.Contains(err.Error(), "ended by its limits") {
		t.Fatalf("got %v", err)
	}
	if err := kustomize.BuildUnits(path("r"), []tree.Path{path("m.yaml")}, files("m.yaml", object)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestAProgramThatDoesNotAnswerIsTold(t *testing.T) {
	if _, err := (Builder{Program: "/bin/true"}).Nested(path("r"), path("k"), nil); !errors.Is(err, errNoAnswer) {
		t.Errorf("got %v", err)
	}
}
