package dedupe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// relative returns a file with its path relative to the root.
func (r *Root) relative(file File) tree.File {
	return tree.File{Path: r.relativePath(file.Path), Content: file.Content}
}

func (r *Root) relativePath(p tree.Path) tree.Path {
	path, _ := p.RelativeTo(r.Path)
	return path
}

// layOut returns the files of a root, with paths relative to it, where filesOf returns the files of each
// claim. It omits the files that Flux does not fetch and the kustomizations in hiding (see findHiding).
func layOut(root *Root, hiding map[tree.Path]bool, filesOf func(claim int) []File) []tree.File {
	var files []tree.File
	joined := map[tree.Path]int{}
	add := func(some []File) {
		for _, file := range some {
			if root.Ignored.Has(file.Path) || hiding[file.Path] {
				continue
			}
			if at, there := joined[file.Path]; there {
				files[at].Content = slices.Concat(files[at].Content, []byte("\n---\n"), file.Content)
				continue
			}
			joined[file.Path] = len(files)
			files = append(files, root.relative(file))
		}
	}
	add(root.Foreign)
	for i := range root.Claims {
		add(filesOf(i))
	}
	tree.SortFiles(files)
	return files
}

// ownerOf returns the owner of an entry, as named in findings.
func (r *Root) ownerOf(e *entry) string {
	if e.of == nil {
		return r.kindOf(e) + " in the store that belongs to no placement"
	}
	return r.Claims[e.claim()].Owner
}

// kindOf describes a foreign entry for messages.
func (r *Root) kindOf(e *entry) string {
	for _, o := range r.Obstacles {
		if o.Path == e.path {
			return o.Kind
		}
	}
	return "a file"
}

// foreignFix returns the fix for a foreign file or directory: the line of .sourceignore with
// which Flux leaves it out. It is empty if a claim has the file.
func foreignFix(of *claimant, path string) string {
	if of != nil {
		return ""
	}
	return fmt.Sprintf("Correct or remove it, or have Flux leave it out with the line /%s in the file .sourceignore at the top of the store.", path)
}

// oneLine returns the message of an error in one line, or "" for nil.
func oneLine(err error) string {
	if err == nil {
		return ""
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
