package kustomize

import (
	"bytes"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Unit is one resource of the kustomization that Flux generates for a directory: a file, or a
// directory with a kustomization of its own.
type Unit struct {
	Path tree.Path
	// Files is the file itself, or all files in the directory.
	Files []tree.File
	// Nested means that the unit is a directory with a kustomization.
	Nested bool
}

// IsKustomization reports whether kustomize reads a file with this path as a kustomization.
func IsKustomization(path tree.Path) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base())
}

// SetsSchema reports whether a file is a kustomization that may set the OpenAPI schema of the
// build.
func SetsSchema(file tree.File) bool { return setsSchema(file.Path.Base(), file.Content) }

func setsSchema(base string, content []byte) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), base) && bytes.Contains(bytes.ToLower(content), []byte("openapi"))
}

// Units returns the resources of the kustomization that Flux generates for files, in walk order. If
// there is a kustomization at the top, it returns one unit with all files.
func Units(files []tree.File) []Unit {
	files = sorted(files)
	own := map[tree.Path]bool{}
	for _, file := range files {
		if IsKustomization(file.Path) {
			own[file.Path.Dir()] = true
		}
	}
	var units []Unit
	for _, file := range files {
		if last := len(units) - 1; last >= 0 && units[last].Nested && file.Path.Within(units[last].Path) {
			units[last].Files = append(units[last].Files, file)
			continue
		}
		if dir, nested := outermost(file.Path, own); nested {
			units = append(units, Unit{Path: dir, Files: []tree.File{file}, Nested: true})
		} else if Loads(file.Path) {
			units = append(units, Unit{Path: file.Path, Files: []tree.File{file}})
		}
	}
	return units
}

func outermost(path tree.Path, set map[tree.Path]bool) (highest tree.Path, found bool) {
	if len(set) == 0 {
		return highest, false
	}
	for dir := path.Dir(); ; dir = dir.Dir() {
		if set[dir] {
			highest, found = dir, true
		}
		if dir.IsRoot() {
			return highest, found
		}
	}
}

func sorted(files []tree.File) []tree.File {
	if slices.IsSortedFunc(files, compareFiles) {
		return files
	}
	return slices.SortedFunc(slices.Values(files), compareFiles)
}

func compareFiles(a, b tree.File) int { return tree.Compare(a.Path, b.Path) }
