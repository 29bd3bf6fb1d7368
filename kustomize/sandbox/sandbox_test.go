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

const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"

func TestSandboxedBuildEqualsALocalOne(t *testing.T) {
	testkit.Slow(t)
	b := Builder{Program: os.Args[0]}
	for name, laid := range map[string][]tree.File{
		"it builds":          testkit.FileList("k/kustomization.yaml", "resources: [m.yaml]\nnamePrefix: p-\n", "k/m.yaml", object),
		"it looks outside":   testkit.FileList("k/kustomization.yaml", "resources: [../m.yaml]\n", "m.yaml", object),
		"it fails":           testkit.FileList("k/kustomization.yaml", "resources: [m.yaml]\n"),
		"it fails late":      testkit.FileList("k/kustomization.yaml", "resources: [m.yaml]\nvars:\n- {name: V, objref: {kind: ConfigMap, name: none, apiVersion: v1}}\n", "k/m.yaml", object),
		"it would call":      testkit.FileList("k/kustomization.yaml", "resources: ['https://example.org/x.yaml']\n"),
		"it is not there":    testkit.FileList("m.yaml", object),
		"a definition in it": testkit.FileList("k/kustomization.yaml", "resources: [m.yaml]\n", "k/m.yaml", "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x}\nspec: {group: g, names: {kind: K}, scope: Cluster}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			got, gotErr := b.Nested(testkit.Path("r"), testkit.Path("k"), laid)
			want, wantErr := kustomize.BuildNested(testkit.Path("r"), testkit.Path("k"), laid)
			if !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || errors.Is(gotErr, kustomize.ErrRemote) != errors.Is(wantErr, kustomize.ErrRemote) {
				t.Errorf("got %v %v, want %v %v", got, gotErr, want, wantErr)
			}
			units := []tree.Path{testkit.Path("k")}
			if got, want := b.Units(testkit.Path("r"), units, laid), kustomize.BuildUnits(testkit.Path("r"), units, laid); fmt.Sprint(got) != fmt.Sprint(want) || errors.Is(got, kustomize.ErrRemote) != errors.Is(want, kustomize.ErrRemote) {
				t.Errorf("built: got %v, want %v", got, want)
			}
		})
	}
}

// doubling returns a tree of kustomizations. The work of a build doubles with each level.
func doubling(levels int) []tree.File {
	laid := testkit.FileList("k0/kustomization.yaml", "resources: [m.yaml]\n", "k0/m.yaml", object)
	for i := range levels {
		for _, side := range []string{"a", "b"} {
			laid = append(laid, testkit.FileList(fmt.Sprintf("%s%d/kustomization.yaml", side, i+1), fmt.Sprintf("namePrefix: %s\nresources: [../k%d]\n", side, i))...)
		}
		laid = append(laid, testkit.FileList(fmt.Sprintf("k%d/kustomization.yaml", i+1), fmt.Sprintf("resources: [../a%d, ../b%d]\n", i+1, i+1))...)
	}
	return laid
}

func TestEndlessBuildIsKilledAndOthersContinue(t *testing.T) {
	laid := doubling(40)
	b := Builder{Program: os.Args[0], Patience: 2 * time.Second}
	started := time.Now()
	_, err := b.Nested(testkit.Path("r"), testkit.Path("k40"), laid)
	if err == nil || !strings.Contains(err.Error(), "did not come to an end in 2s") && !strings.Contains(err.Error(), "ended by its limits") {
		t.Fatalf("got %v", err)
	}
	if err := kustomize.BuildUnits(testkit.Path("r"), []tree.Path{testkit.Path("m.yaml")}, testkit.FileList("m.yaml", object)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestProgramWithoutAnAnswerIsReported(t *testing.T) {
	if _, err := (Builder{Program: "/bin/true"}).Nested(testkit.Path("r"), testkit.Path("k"), nil); !errors.Is(err, errNoAnswer) {
		t.Errorf("got %v", err)
	}
}

func TestBuildFetchesOnlyWhatItReads(t *testing.T) {
	laid := testkit.FileList("a/kustomization.yaml", "resources: [../m.yaml]\nconfigMapGenerator:\n- {name: made, files: [empty.txt]}\n", "a/empty.txt", "", "m.yaml", object, "b/n.yaml", object)
	laid = append(laid, tree.File{Path: testkit.Path("large.txt"), Content: make([]byte, 300<<20)})
	b := Builder{Program: os.Args[0], Memory: 256 << 20}
	if built, err := b.Nested(testkit.Path("r"), testkit.Path("a"), laid); err != nil || len(built.Objects) != 2 || !built.Outside {
		t.Errorf("got %v, %v", built, err)
	}
	if err := b.Units(testkit.Path("r"), []tree.Path{testkit.Path("a")}, laid); err != nil {
		t.Error(err)
	}
	err := b.Roots(t.Context(), []tree.Path{testkit.Path("a"), testkit.Path("b")}, laid, func(dir tree.Path, built kustomize.BuiltRoot) {
		if built.Failed != "" {
			t.Errorf("%s: %s", dir, built.Failed)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

func TestRootsAreBuiltInOneProcess(t *testing.T) {
	laid := testkit.FileList("a/kustomization.yaml", "resources: [../base]\n", "b/m.yaml", object, "b/n.yaml", object, "base/kustomization.yaml", "resources: [m.yaml]\n", "base/m.yaml", object)
	dirs := []tree.Path{testkit.Path("a"), testkit.Path("b"), testkit.Path("base")}
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

func endless() []tree.File {
	var laid []tree.File
	for i := range 12_000 {
		laid = append(laid, testkit.FileList(fmt.Sprintf("slow/m%d.yaml", i), strings.Replace(object, "name: x", fmt.Sprintf("name: x%d", i), 1))...)
	}
	return append(laid, testkit.FileList("quick/m.yaml", object)...)
}

func TestSlowRootIsReportedAndTheNextIsBuilt(t *testing.T) {
	failed := map[string]string{}
	err := Builder{Program: os.Args[0], Patience: 6 * time.Second}.Roots(t.Context(), []tree.Path{testkit.Path("slow"), testkit.Path("quick")}, endless(), func(dir tree.Path, built kustomize.BuiltRoot) {
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
			return b.Roots(ctx, []tree.Path{testkit.Path("slow")}, laid, func(tree.Path, kustomize.BuiltRoot) {})
		},
		"units": func(b Builder, _ context.Context) error {
			var units []tree.Path
			for _, file := range laid {
				units = append(units, file.Path)
			}
			return b.Units(testkit.Path("r"), units, laid)
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
