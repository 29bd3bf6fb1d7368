package apply

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fluxcd/pkg/ssa/utils"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/test/apiserver"
)

var (
	objects     = flag.Int("objects", 1000, "how many objects that the API server accepts to compare")
	mutations   = flag.Int("mutations", 500, "how many objects that the API server refuses to compare")
	seed        = flag.Uint64("seed", 1, "where all random objects come from")
	workers     = flag.Int("workers", 3*runtime.GOMAXPROCS(0), "how many requests run at a time")
	rows        = flag.String("rows", "", "a regular expression; only mutations of rows that match are made")
	writeSurvey = flag.Bool("survey", false, "write the table of required fields of package applycheck")
	show        = flag.Int("show", 10, "how many misses of a row to show in full")
)

const bin = "../../bin/kube"

const (
	eck       = "github.com/elastic/cloud-on-k8s/v2@v2.8.0"
	eckDigest = "h1:I7LLrcQuqKXMq7pjJ40BBLizM7xKXIRF9Rhu4GVoNW8="
	eckFile   = "config/crds/v1/all-crds.yaml"
)

type fixture struct {
	*Judge
	server   *apiserver.Server
	schemas  *Schemas
	beside   map[string][]byte
	fresh    bool
	examples map[int][]map[string]any
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	if _, err := os.Stat(filepath.Join(bin, "kube-apiserver")); err != nil {
		t.Fatal("bin/kube/kube-apiserver is missing: run make kube-servers")
	}
	server := apiserver.Start(t, bin, "--runtime-config=api/all=true")
	judge, err := NewJudge(server.Admin)
	must(t, err)
	f := &fixture{Judge: judge, server: server, beside: definitions(t), examples: map[int][]map[string]any{}}
	for name, content := range f.beside {
		if err := f.ApplyAll(t.Context(), content); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	f.awaitSchemas(t)
	f.readExamples(t)
	return f
}

func definitions(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/crds/*.yaml")
	must(t, err)
	beside := map[string][]byte{"namespaces.yaml": []byte("apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n")}
	for _, file := range append(files, operator(t)) {
		content, err := os.ReadFile(file)
		must(t, err)
		beside[filepath.Base(file)] = content
	}
	return beside
}

func operator(t *testing.T) string {
	t.Helper()
	module := apiserver.Download(t, t.TempDir(), eck)
	if module.Sum != eckDigest {
		t.Fatalf("%s has the digest %s, want %s", eck, module.Sum, eckDigest)
	}
	return filepath.Join(module.Dir, filepath.FromSlash(eckFile))
}

func (f *fixture) awaitSchemas(t *testing.T) {
	t.Helper()
	want := 0
	for _, content := range f.beside {
		want += bytes.Count(content, []byte("\nkind: CustomResourceDefinition"))
	}
	for late := time.Now().Add(apiserver.Patience); ; time.Sleep(time.Second) {
		schemas, err := NewSchemas(f.Judge)
		must(t, err)
		have := map[string]bool{}
		for _, kind := range schemas.Kinds {
			if !kind.Builtin {
				have[kind.GroupKind().String()] = true
			}
		}
		if len(have) >= want {
			f.schemas = schemas
			return
		}
		if time.Now().After(late) {
			t.Fatalf("the API server has schemas of %d kinds of %d definitions", len(have), want)
		}
	}
}

func (f *fixture) readExamples(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob("testdata/builtin/*.yaml")
	must(t, err)
	var contents [][]byte
	for _, file := range files {
		content, err := os.ReadFile(file)
		must(t, err)
		contents = append(contents, content)
	}
	for _, name := range slices.Sorted(maps.Keys(f.beside)) {
		contents = append(contents, f.beside[name])
	}
	for _, content := range contents {
		read, err := utils.ReadObjects(bytes.NewReader(content))
		must(t, err)
		for _, object := range read {
			at := slices.IndexFunc(f.schemas.Kinds, func(k Kind) bool { return k.GroupVersionKind == object.GroupVersionKind() })
			if at < 0 {
				t.Errorf("the API server does not serve %s", object.GroupVersionKind())
				continue
			}
			f.examples[at] = append(f.examples[at], object.Object)
		}
	}
	f.makeExamples(t)
}

func (f *fixture) makeExamples(t *testing.T) {
	t.Helper()
	const tries = 60
	made := make([][]map[string]any, len(f.schemas.Kinds))
	f.each(len(made), func(at int) {
		if f.examples[at] != nil {
			return
		}
		m := NewMaker(f.schemas, *seed, uint64(at)<<32)
		for range tries {
			example := m.Fresh(f.schemas.Kinds[at], "NAME")
			if f.DryRun(t.Context(), render(t, example, "made")) == nil {
				if made[at] = append(made[at], example); len(made[at]) == 3 {
					return
				}
			}
		}
	})
	var without []string
	for at, kind := range f.schemas.Kinds {
		if made[at] != nil {
			f.examples[at] = made[at]
		}
		if f.examples[at] == nil {
			without = append(without, kind.GroupVersion().String()+" "+kind.Kind)
		}
	}
	t.Logf("%d kinds; without an example: %s", len(f.schemas.Kinds), strings.Join(without, ", "))
}

func (f *fixture) each(count int, do func(int)) {
	var running sync.WaitGroup
	next := make(chan int)
	for range *workers {
		running.Go(func() {
			for i := range next {
				do(i)
			}
		})
	}
	for i := range count {
		next <- i
	}
	close(next)
	running.Wait()
}

func render(t testing.TB, object map[string]any, name string) []byte {
	content, err := yaml.Marshal(object)
	if err != nil {
		t.Error(err)
	}
	return bytes.ReplaceAll(content, []byte("NAME"), []byte(name))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
