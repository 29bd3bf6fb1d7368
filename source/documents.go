package source

import "bytes"

// document is one YAML document of a file.
type document struct {
	text []byte
	// line is the number of its first line in the file.
	line int
}

// documents cuts a file at its "---" and "..." lines, so that one broken
// document does not hide the others. A line that starts so is a marker
// everywhere in YAML, even within a block of text. What follows on the line of
// a marker belongs to the document that it starts.
func documents(content []byte) []document {
	var docs []document
	current := document{line: 1}
	number := 0
	for line := range bytes.Lines(content) {
		number++
		marks, holds := marker(line)
		switch {
		case !marks:
			current.text = append(current.text, line...)
		case holds:
			docs = append(docs, current)
			current = document{text: bytes.Clone(line), line: number}
		default:
			docs = append(docs, current)
			current = document{line: number + 1}
		}
	}
	return append(docs, current)
}

// marker reports whether a line parts two documents, and whether it holds
// something of the second itself.
func marker(line []byte) (marks, holds bool) {
	rest, starts := bytes.CutPrefix(line, []byte("---"))
	if !starts {
		var ends bool
		if rest, ends = bytes.CutPrefix(line, []byte("...")); !ends {
			return false, false
		}
	}
	text := bytes.TrimSpace(rest)
	if len(text) == 0 || text[0] == '#' {
		return true, false
	}
	holds = starts && (rest[0] == ' ' || rest[0] == '\t')
	return holds, holds
}
