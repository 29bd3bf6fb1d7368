package kratix

import (
	"bytes"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

type lineFinder struct {
	document []byte
	// first is the line of the file at which the document starts.
	first int
	root  *yaml.Node
}

// of returns the line of the field at path, such as "spec.workloadGroups[0].id". If there is no
// such field, it returns the line of a parent.
func (l *lineFinder) of(path string) int {
	if path == "" {
		return l.first + blankLines(l.document)
	}
	node := l.node(path)
	if node == nil || node.Line == 0 {
		return l.first
	}
	return l.first + node.Line - 1
}

// node returns the node of the field at path, or of its nearest existing parent.
func (l *lineFinder) node(path string) *yaml.Node {
	node := l.parsed()
	if path == "" {
		return node
	}
	for _, step := range strings.Split(path, ".") {
		name, indexes := splitIndexes(step)
		next := child(node, name)
		for _, i := range indexes {
			next = item(next, i)
		}
		if next == nil {
			break
		}
		node = next
	}
	return node
}

func (l *lineFinder) parsed() *yaml.Node {
	if l.root == nil {
		var document yaml.Node
		if yaml.Unmarshal(l.document, &document) != nil || len(document.Content) == 0 {
			l.root = &yaml.Node{}
		} else {
			l.root = document.Content[0]
		}
	}
	return l.root
}

// child returns a copy of the value of a key, with the line of the key.
func child(node *yaml.Node, name string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == name {
			value := *node.Content[i+1]
			value.Line = node.Content[i].Line
			return &value
		}
	}
	return nil
}

func item(node *yaml.Node, i int) *yaml.Node {
	if node == nil || node.Kind != yaml.SequenceNode || i < 0 || i >= len(node.Content) {
		return nil
	}
	return node.Content[i]
}

// splitIndexes splits "items[3][0]" into the name and the indexes.
func splitIndexes(step string) (name string, indexes []int) {
	name, rest, _ := strings.Cut(step, "[")
	for part := range strings.SplitSeq(rest, "[") {
		if i, err := strconv.Atoi(strings.TrimSuffix(part, "]")); err == nil {
			indexes = append(indexes, i)
		}
	}
	return name, indexes
}

func isMarker(line []byte) bool {
	rest, found := bytes.CutPrefix(line, []byte("---"))
	rest = bytes.TrimSpace(rest)
	return found && (len(rest) == 0 || rest[0] == '#')
}

// blankLines returns the number of lines before the first line with content, or 0 if there is no
// content. Comments and document markers are not content.
func blankLines(document []byte) int {
	count := 0
	for line := range bytes.Lines(document) {
		text := bytes.TrimSpace(line)
		if len(text) > 0 && text[0] != '#' && !isMarker(text) {
			return count
		}
		count++
	}
	return 0
}
