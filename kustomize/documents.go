package kustomize

import (
	"bytes"
	"regexp"
)

type document struct {
	content []byte
	line    int
}

// separator matches a marker at which kustomize splits a file.
var separator = regexp.MustCompile(`\n---.*\n`)

// documents splits a file into documents as kustomize does. If a marker has text after it that is
// not a comment, it returns the whole file as one document.
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
