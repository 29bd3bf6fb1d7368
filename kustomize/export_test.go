package kustomize

import "github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"

// Survivable exports checkShape. It returns an error if kustomize could crash or hang on content.
func Survivable(content []byte) error { return checkShape(content, yamlnodes.AtMost(content)) }

// Cut exports documents. It returns the documents of a file and the first line of each.
func Cut(content []byte) (texts [][]byte, lines []int) {
	for _, doc := range documents(content) {
		texts = append(texts, doc.content)
		lines = append(lines, doc.line)
	}
	return texts, lines
}

// PlainOutcomes returns the Outcome of each plain object of a file. It runs the steps of writeOut,
// which a Cache skips for plain objects.
func PlainOutcomes(content []byte) []Outcome {
	schema.RLock()
	defer schema.RUnlock()
	found, _ := resources(content)
	var outcomes []Outcome
	for _, res := range found {
		if isPlain(res.YNode()) {
			outcomes = append(outcomes, writeOut(res))
		}
	}
	return outcomes
}
