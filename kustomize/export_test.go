package kustomize

import "github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"

func Survivable(content []byte) error { return checkShape(content, yamlnodes.AtMost(content)) }

func Cut(content []byte) (texts [][]byte, lines []int) {
	for _, doc := range documents(content) {
		texts = append(texts, doc.content)
		lines = append(lines, doc.line)
	}
	return texts, lines
}

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
