package reconcile

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A stage refers only to its own declarations and to those of earlier stages.
func stageFiles() []stageFile {
	return []stageFile{
		{"what all stages share", "allowance failure generations policy unit"},
		{"observe", "observe opener lookup readahead contents records ledger former fight fights separate owners unused restore existing adopt copies oldcopies decisions filepathmode"},
		{"relate", "feedback revisions pastplacements blame failedfiles"},
		{"plan", "input rolloutstep destinationplan divide inherited evidence guard"},
		{"rollout", "rolloutspecs rolloutunits rolloutplan rolloutformer rolloutremoval"},
		{"render", "render rolloutrender situation placement rendering rolledback exclude relayout"},
		{"check", "check rolloutmarks checkroot applycheck stored joined obstruct share outgoing leftovers keepwhole"},
		{"diff", "diff filechanges units ledgerfiles"},
		{"outcome", "outcome reuse reusewritten independence alone"},
		{"commit", "desired write writer refusals search finish fightmarks poll"},
		{"report", "reporter rolloutreport budget guardfindings profiles unreached large tries sortedlist"},
		{"round", "reconcile plan stores staying desiredstore choices shards inspect cleanup"},
	}
}

type stageFile struct{ stage, files string }

type withoutImports struct{}

func (withoutImports) Import(name string) (*types.Package, error) {
	pkg := types.NewPackage(name, path.Base(name))
	pkg.MarkComplete()
	return pkg, nil
}

func TestNoStageRefersToALaterOne(t *testing.T) {
	stageOf, known := map[string]int{}, 0
	for i, stage := range stageFiles() {
		for _, name := range strings.Fields(stage.files) {
			stageOf[name+".go"] = i
			known++
		}
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, name := range sourceFiles(t) {
		if _, ok := stageOf[name]; !ok {
			t.Errorf("%s is in no stage: add it to stageFiles", name)
		}
		file, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	if len(files) != known {
		t.Errorf("%d files, and stageFiles has %d", len(files), known)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: withoutImports{}, Error: func(error) {}} // imported packages are unknown
	pkg, _ := config.Check("reconcile", fset, files, info)

	var upward []string
	references := 0
	for name, object := range info.Uses {
		if object.Pkg() != pkg {
			continue
		}
		from, to := fset.Position(name.Pos()), fset.Position(object.Pos())
		if from.Filename != to.Filename {
			references++
		}
		if stageOf[to.Filename] > stageOf[from.Filename] {
			upward = append(upward, fmt.Sprintf("%s: %s is of %s, a later stage", from, name.Name, to.Filename))
		}
	}
	slices.Sort(upward)
	for _, each := range upward {
		t.Error(each)
	}
	if references < 500 {
		t.Errorf("only %d references between files were found", references)
	}
}

func sourceFiles(t *testing.T) []string {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(names, func(name string) bool { return strings.HasSuffix(name, "_test.go") })
}
