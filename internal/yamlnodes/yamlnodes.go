// Package yamlnodes bounds how many nodes a YAML document has before a parser
// makes them, which takes a hundred times the memory of the text. It does no I/O.
package yamlnodes

// AtMost returns a bound on the number of nodes in content, without parsing it:
// each node but the first has a character of its own that makes room for it.
func AtMost(content []byte) int {
	nodes := 1
	// paired is whether a colon has come since the last comma or bracket. In a map
	// between braces an item without one is a key, and its value null.
	paired := false
	for i, c := range content {
		switch c {
		case ':':
			nodes, paired = nodes+2, true
		case '?', '{':
			nodes, paired = nodes+2, false
		case '[':
			nodes, paired = nodes+1, false
		case ',':
			if nodes++; !paired {
				nodes++
			}
			paired = false
		case '-':
			if i+1 == len(content) || isSpace(content[i+1]) {
				nodes++
			}
		}
	}
	return nodes
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }
