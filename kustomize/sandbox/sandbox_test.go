package sandbox

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
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

func TestSandboxedBuildEqualsALocalOne(t *testing.T) {
	testkit.Slow(t)
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

// doubling returns a small tree of kustomizations, each of which loads the one below twice.
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

func TestEndlessBuildIsKilledAndOthersContinue(t *testing.T) {
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

func TestProgramWithoutAnAnswerIsReported(t *testing.T) {
	if _, err := (Builder{Program: "/bin/true"}).Nested(path("r"), path("k"), nil); !errors.Is(err, errNoAnswer) {
		t.Errorf("got %v", err)
	}
}

func TestBuildFetchesOnlyWhatItReads(t *testing.T) {
	laid := files("a/kustomization.yaml", "resources: [../m.yaml]\nconfigMapGenerator:\n- {name: made, files: [empty.txt]}\n", "a/empty.txt", "", "m.yaml", object, "b/n.yaml", object)
	laid = append(laid, tree.File{Path: path("large.txt"), Content: make([]byte, 300<<20)})
	b := Builder{Program: os.Args[0], Memory: 256 << 20}
	if built, err := b.Nested(path("r"), path("a"), laid); err != nil || len(built.Objects) != 2 || !built.Outside {
		t.Errorf("got %v, %v", built, err)
	}
	if err := b.Units(path("r"), []tree.Path{path("a")}, laid); err != nil {
		t.Error(err)
	}
	err := b.Roots(t.Context(), []tree.Path{path("a"), path("b")}, laid, func(dir tree.Path, built kustomize.BuiltRoot) {
		if built.Failed != "" {
			t.Errorf("%s: %s", dir, built.Failed)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRootsAreBuiltInOneProcess(t *testing.T) {
	laid := files("a/kustomization.yaml", "resources: [../base]\n", "b/m.yaml", object, "b/n.yaml", object, "base/kustomization.yaml", "resources: [m.yaml]\n", "base/m.yaml", object)
	dirs := []tree.Path{path("a"), path("b"), path("base")}
	var got []tree.Path
	err := Builder{Program: os.Args[0]}.Roots(t.Context(), dirs, laid, func(dir tree.Path, built kustomize.BuiltRoot) {
		got = append(got, dir)
		want := kustomize.BuildRoot(dir, laid)
		if built.Failed != want.Failed || len(built.Objects) != len(want.Objects) {
			t.Errorf("%s: got %v, want %v", dir, built, want)
		}
	})
	if err != nil || !reflect.DeepEqual(got, dirs) {
		t.Errorf("got %v, %v", got, err)
	}
}

// endless returns files that kustomize takes very long to build.
func endless() []tree.File {
	var laid []tree.File
	for i := range 12_000 {
		laid = append(laid, files(fmt.Sprintf("slow/m%d.yaml", i), strings.Replace(object, "name: x", fmt.Sprintf("name: x%d", i), 1))...)
	}
	return append(laid, files("quick/m.yaml", object)...)
}

func TestSlowRootIsReportedAndTheNextIsBuilt(t *testing.T) {
	failed := map[string]string{}
	err := Builder{Program: os.Args[0], Patience: 6 * time.Second}.Roots(t.Context(), []tree.Path{path("slow"), path("quick")}, endless(), func(dir tree.Path, built kustomize.BuiltRoot) {
		failed[dir.String()] = built.Failed
	})
	if err != nil || !strings.Contains(failed["slow"], "did not come to an end in 6s") || failed["quick"] != "" || len(failed) != 2 {
		t.Errorf("got %v, %v", failed, err)
	}
}

func TestBuildsEndWhenTheyAreStopped(t *testing.T) {
	laid := endless()
	for name, build := range map[string]func(Builder, context.Context) error{
		"roots": func(b Builder, ctx context.Context) error {
			return b.Roots(ctx, []tree.Path{path("slow")}, laid, func(tree.Path, kustomize.BuiltRoot) {})
		},
		"units": func(b Builder, _ context.Context) error {
			var units []tree.Path
			for _, file := range laid {
				units = append(units, file.Path)
			}
			return b.Units(path("r"), units, laid)
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			time.AfterFunc(300*time.Millisecond, stop)
			start := time.Now()
			err := build(Builder{Program: os.Args[0], Stop: ctx.Done()}, ctx)
			if took := time.Since(start); err == nil || took > 10*time.Second {
				t.Errorf("after %s: %v", took, err)
			}
		})
	}
}
