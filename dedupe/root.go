package dedupe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func (r *Root) relative(file File) tree.File {
	return tree.File{Path: r.relativePath(file.Path), Content: file.Content}
}

func (r *Root) relativePath(p tree.Path) tree.Path {
	path, _ := p.RelativeTo(r.Path)
	return path
}

// layOut returns the files of a root, with paths relative to it. filesOf returns the files of each
// claim. layOut omits files that Flux does not fetch and the kustomizations in hiding.
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

func (r *Root) ownerOf(e *entry) string {
	if e.of == nil {
		return r.kindOf(e) + " in the store that belongs to no placement"
	}
	return r.Claims[e.claim()].Owner
}

func (r *Root) kindOf(e *entry) string {
	for _, o := range r.Obstacles {
		if o.Path == e.path {
			return o.Kind
		}
	}
	return "a file"
}

// foreignFix returns the fix for a foreign file or directory, or "" for a file of a claim.
func foreignFix(of *claimant, path string) string {
	if of != nil {
		return ""
	}
	return fmt.Sprintf("Correct or remove it, or have Flux leave it out with the line /%s in the file .sourceignore at the top of the store.", path)
}

func oneLine(err error) string {
	if err == nil {
		return ""
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
