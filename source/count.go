package source

import (
	"bytes"
	"path"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// CountObjects returns the number of objects in a manifest. The items of a List count instead of
// the List. It returns 0 if name does not end in .yaml or .yml.
func CountObjects(name string, content []byte) int {
	switch path.Ext(name) {
	case ".yaml", ".yml":
	default:
		return 0
	}
	count := 0
	for _, doc := range documents(content) {
		if !holdsSomething(doc.text) {
			continue
		}
		count++
		if !bytes.Contains(doc.text, []byte("List")) {
			continue
		}
		if parsed, err := kratix.Parse(doc.text, doc.line); err == nil {
			count += len(parsed) - 1
		}
	}
	return count
}

func holdsSomething(text []byte) bool {
	for line := range bytes.Lines(text) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' && !bytes.Equal(line, []byte("---")) {
			return true
		}
	}
	return false
}
