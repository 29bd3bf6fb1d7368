package kustomize

import (
	"bytes"
	"regexp"
)

// document is one YAML document of a file.
type document struct {
	content []byte
	// line is the number of its first line.
	line int
}

// separator is what kustomize splits a file at. A marker on the very first
// line separates nothing: it belongs to the first document.
var separator = regexp.MustCompile(`\n---.*\n`)

// documents cuts a file where kustomize does, so that one document after the
// other returns what the whole file would. A separator with something else than
// a comment behind it is an error that kustomize finds in the uncut file.
func documents(content []byte) []document {
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	cuts := separator.FindAllIndex(content, -1)
	docs := make([]document, 0, len(cuts)+1)
	start, line := 0, 1
	for _, cut := range cuts {
		if !isPlainSeparator(content[cut[0]:cut[1]]) {
			return []document{{content: content, line: 1}}
		}
		docs = append(docs, document{content: content[start : cut[0]+1], line: line})
		line += bytes.Count(content[start:cut[1]], []byte("\n"))
		start = cut[1]
	}
	return append(docs, document{content: content[start:], line: line})
}

func isPlainSeparator(found []byte) bool {
	rest := bytes.TrimSpace(found[len("\n---"):])
	return len(rest) == 0 || rest[0] == '#'
}
