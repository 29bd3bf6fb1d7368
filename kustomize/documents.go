package kustomize

import (
	"bytes"
	"regexp"
)

type document struct {
	content []byte
	line    int
}

// separator matches a marker at which kustomize splits a file. It does not match a marker on the
// first line of a file, which separates nothing.
var separator = regexp.MustCompile(`\n---.*\n`)

// documents splits a file at the same markers as kustomize. Parsing the documents one by one has
// the same result as parsing the file. If a marker is followed by text other than a comment,
// documents returns the whole file as one document, because kustomize then reports an error for the
// whole file.
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
