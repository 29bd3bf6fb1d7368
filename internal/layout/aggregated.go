package layout

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// defaultFilename is the name of the file in mode aggregatedYAML if the Destination sets none.
const defaultFilename = "aggregated.yaml"

// partSeparator is the separator that Kratix writes between the parts of an aggregated file.
const partSeparator = "\n---\n"

// renderAggregated renders a placement in mode aggregatedYAML, which joins the files of all
// placements into one file.
func renderAggregated(d *kratix.Destination, base tree.Path, _ *kratix.WorkPlacement, files []File) (Rendering, error) {
	path, err := joined(d, base)
	if err != nil {
		return Rendering{Root: base}, err
	}
	parts := slices.Clone(files)
	for i := range parts {
		parts[i].Path = path
	}
	return Rendering{Root: base, Joined: true, Files: parts}, nil
}

func joined(d *kratix.Destination, base tree.Path) (tree.Path, error) {
	name, err := tree.ParsePath(cmp.Or(d.Spec.Filepath.Filename, defaultFilename))
	if err != nil {
		return tree.Path{}, fmt.Errorf("the Destination's spec.filepath.filename: %w", err)
	}
	return base.Join(name), nil
}

// JoinedFile returns the path of the joined file of a Destination. It returns false if the mode is
// not aggregatedYAML, or the path is invalid.
func JoinedFile(d *kratix.Destination) (tree.Path, bool) {
	if d.FilepathMode() != kratix.AggregatedYAML {
		return tree.Path{}, false
	}
	base, err := Base(d)
	if err != nil {
		return tree.Path{}, false
	}
	path, err := joined(d, base)
	return path, err == nil
}

// Part is the files of one placement in a joined file.
type Part struct {
	Placement *kratix.WorkPlacement
	Files     []File
}

// Join returns the joined file of the parts, or nothing if the parts have no files.
func Join(parts []Part) []tree.File {
	var whole []tree.File
	for _, part := range slices.SortedFunc(slices.Values(parts), compareParts) {
		for _, file := range part.Files {
			if len(whole) == 0 {
				whole = []tree.File{{Path: file.Path, Content: slices.Clone(file.Content)}}
				continue
			}
			whole[0].Content = append(append(whole[0].Content, partSeparator...), file.Content...)
		}
	}
	return whole
}

func compareParts(a, b Part) int { return Compare(a.Placement, b.Placement) }

// Compare compares placements in the order of a joined file: by name as in Kratix, then by
// namespace.
func Compare(a, b *kratix.WorkPlacement) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Namespace, b.Namespace))
}

// Split returns the part of each record's placement in a joined file. It returns nil if the lengths
// in the records do not match the file.
func Split(content []byte, records []Record) map[*kratix.WorkPlacement][]byte {
	sorted := slices.SortedFunc(slices.Values(records), func(a, b Record) int {
		return compareParts(Part{Placement: a.Placement}, Part{Placement: b.Placement})
	})
	parts := map[*kratix.WorkPlacement][]byte{}
	rest := content
	for _, record := range sorted {
		if len(record.Files) == 0 {
			continue
		}
		if len(parts) > 0 {
			var ok bool
			if rest, ok = bytes.CutPrefix(rest, []byte(partSeparator)); !ok {
				return nil
			}
		}
		if record.Bytes > len(rest) {
			return nil
		}
		parts[record.Placement], rest = rest[:record.Bytes], rest[record.Bytes:]
	}
	if len(rest) > 0 {
		return nil
	}
	return parts
}

// size returns the length in bytes that the files of a placement have in a joined file.
func size(files []File) int {
	total := 0
	for i, file := range files {
		if i > 0 {
			total += len(partSeparator)
		}
		total += len(file.Content)
	}
	return total
}
