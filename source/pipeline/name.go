package pipeline

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// maxName leaves room for a dash and five characters in a label's 63.
const maxName = 63 - 1 - 5

// objectName joins parts as Kratix does for a Work. Where Kratix appends five
// random characters, these come from the name: the same pipeline has the same
// Work.
func objectName(parts ...string) string {
	parts = slices.DeleteFunc(slices.Clone(parts), func(part string) bool { return part == "" })
	full := strings.Join(parts, "-")
	name := strings.TrimRight(full[:min(len(full), maxName)], "-._")
	return name + "-" + kratix.ShortID(kratix.GroupID(full))
}
