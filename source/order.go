package source

import (
	"cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// fileKey identifies a file of a Collection. Files are sorted by rank, then by name.
type fileKey struct {
	rank int
	name string
}

func compareFiles(a, b fileKey) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), compareNames(a.name, b.name))
}

func compareParsed(a, b *ParsedFile) int { return compareFiles(a.fileKey, b.fileKey) }

// compareNames compares paths in the order of a directory walk.
func compareNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		switch {
		case a[i] == b[i]:
		case a[i] == '/':
			return -1
		case b[i] == '/':
			return 1
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// Compare compares objects by namespace and name.
func Compare[O kratix.Object](a, b O) int {
	return kratix.KeyOf(a).Compare(kratix.KeyOf(b))
}

func compareClaims(a, b *claim) int {
	return cmp.Or(compareParsed(a.file, b.file), cmp.Compare(a.index, b.index))
}
