package kustomize

import (
	"bytes"
	"regexp"
)

// document is one YAML document of a file.
type document struct {
	content []byte
	// line is the number of the document's first line.
	line int
}

// separator matches the markers at which kustomize splits a file. A marker on the first
// line does not separate documents: it belongs to the first one.
var separator = regexp.MustCompile(`\n---.*\n`)

// documents splits a file where kustomize does, so that parsing the documents one by one
// has the same result as parsing the file. A separator that is followed by anything but a
// comment is an error, which kustomize reports for the whole file.
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
