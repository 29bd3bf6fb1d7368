package testkit

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Path parses a path and panics if it is invalid. The empty string is the root.
func Path(s string) tree.Path {
	p, err := tree.ParseDir(s)
	if err != nil {
		panic(err)
	}
	return p
}

// Paths parses paths and sorts them in walk order.
func Paths(names ...string) []tree.Path {
	paths := make([]tree.Path, 0, len(names))
	for _, name := range names {
		paths = append(paths, Path(name))
	}
	slices.SortFunc(paths, tree.Compare)
	return paths
}

// Files returns files in walk order, from their contents by path.
func Files(contents map[string]string) []tree.File {
	files := make([]tree.File, 0, len(contents))
	for name, content := range contents {
		files = append(files, tree.File{Path: Path(name), Content: []byte(content)})
	}
	tree.SortFiles(files)
	return files
}

// FileList returns files in the given order, from pairs of a path and a content.
func FileList(pairs ...string) []tree.File {
	files := make([]tree.File, 0, len(pairs)/2)
	for pair := range slices.Chunk(pairs, 2) {
		files = append(files, tree.File{Path: Path(pair[0]), Content: []byte(pair[1])})
	}
	return files
}

// ConfigMaps returns the YAML of ConfigMaps without data, in four lines each.
func ConfigMaps(names ...string) string {
	docs := make([]string, 0, len(names))
	for _, name := range names {
		docs = append(docs, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: "+name+"\n")
	}
	return strings.Join(docs, "---\n")
}

// WorkYAML returns the YAML of a Work without groups, in four lines.
func WorkYAML(name string) string {
	return "apiVersion: platform.kratix.io/v1alpha1\nkind: Work\nmetadata: {name: " + name + "}\nspec: {promiseName: p}\n"
}
