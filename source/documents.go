package source

import "bytes"

type document struct {
	text []byte
	line int
}

// documents splits a file into its documents, so that an invalid document does not hide the others.
func documents(content []byte) []document {
	var docs []document
	current := document{line: 1}
	start, at, number := 0, 0, 0
	for line := range bytes.Lines(content) {
		number++
		if marks, holds := marker(line); marks {
			current.text = content[start:at]
			docs = append(docs, current)
			if start = at; holds {
				current = document{line: number}
			} else {
				start, current = at+len(line), document{line: number + 1}
			}
		}
		at += len(line)
	}
	current.text = content[start:]
	return append(docs, current)
}

// marker reports whether a line separates two documents, and whether it contains text of the
// second.
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
