package kustomize

import "github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"

// Survivable returns an error when kustomize's library must not be called.
func Survivable(content []byte) error { return checkShape(content, yamlnodes.AtMost(content)) }

// Cut returns the documents that a file is cut into, and the line of each.
func Cut(content []byte) (texts [][]byte, lines []int) {
	for _, doc := range documents(content) {
		texts = append(texts, doc.content)
		lines = append(lines, doc.line)
	}
	return texts, lines
}

// PlainFates returns the fate of each object of a file that is taken for plain,
// by the steps that are spared it.
func PlainFates(content []byte) []Fate {
	schema.RLock()
	defer schema.RUnlock()
	found, _ := resources(content)
	var fates []Fate
	for _, res := range found {
		if isPlain(res.YNode()) {
			fates = append(fates, writeOut(res))
		}
	}
	return fates
}
