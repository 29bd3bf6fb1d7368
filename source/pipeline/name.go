package pipeline

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// maxName leaves room for a dash and five characters within the 63 characters of a label value.
const maxName = 63 - 1 - 5

// objectName returns the name of a Work as Kratix builds it, but with a hash instead of random
// characters.
func objectName(parts ...string) string {
	parts = slices.DeleteFunc(slices.Clone(parts), func(part string) bool { return part == "" })
	full := strings.Join(parts, "-")
	name := strings.TrimRight(full[:min(len(full), maxName)], "-._")
	return name + "-" + kratix.ShortID(kratix.GroupID(full))
}
