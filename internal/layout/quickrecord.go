package layout

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// quickRecord parses a record faster than parseRecord. It supports the form in which this program
// writes most records, and returns false for other texts.
func quickRecord(content string) (Record, bool) {
	content, complete := strings.CutSuffix(content, "\n")
	if !complete {
		return Record{}, false
	}
	lines := quickLines{placement: &kratix.WorkPlacement{}, files: []tree.Path{}}
	for line := range strings.SplitSeq(content, "\n") {
		if !lines.line(line) {
			return Record{}, false
		}
	}
	if !isRecord(lines.placement) {
		return Record{}, false
	}
	return Record{Placement: lines.placement, Files: lines.files, Owner: lines.owner}, true
}

type quickLines struct {
	placement *kratix.WorkPlacement
	files     []tree.Path
	owner     string
	// outer and inner are the keys of the maps around the next line.
	outer, inner string
	// maps are the keys of all maps so far. notes are the keys of all annotations so far.
	maps, notes []string
}

// line parses a line. It returns false if the line is not in the supported form.
func (q *quickLines) line(line string) bool {
	if file, isFile := strings.CutPrefix(line, "- "); isFile {
		name, plain := plainScalar(file)
		path, err := tree.ParsePath(strings.Clone(name))
		q.files = append(q.files, path)
		return plain && err == nil && q.outer == "files" && q.inner == ""
	}
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	key, value, found := strings.Cut(text, ":")
	if !found || !isPlainKey(key) || !q.end(indent) {
		return false
	}
	if value == "" {
		return q.begin(key, indent)
	}
	scalar, plain := plainScalar(strings.TrimPrefix(value, " "))
	return plain && value[0] == ' ' && q.set(strings.Clone(key), strings.Clone(scalar)) // clones do not keep the whole text in memory
}

// end ends the maps whose lines are indented more. It returns false if no line may have this
// indent.
func (q *quickLines) end(indent int) bool {
	switch indent {
	case 0:
		q.outer, q.inner = "", ""
		return true
	case 2:
		q.inner = ""
		return q.outer != ""
	case 4:
		return q.inner != ""
	}
	return false
}

func (q *quickLines) begin(key string, indent int) bool {
	if slices.Contains(q.maps, key) {
		return false
	}
	q.maps = append(q.maps, key)
	switch {
	case indent == 0 && (key == "metadata" || key == "spec" || key == "files"):
		q.outer = key
	case indent == 2 && q.outer == "metadata" && (key == "labels" || key == "annotations"):
		q.inner = key
	default:
		return false
	}
	return true
}

func (q *quickLines) set(key, value string) bool {
	p := q.placement
	switch q.inner {
	case "labels":
		if _, twice := p.Labels[key]; twice {
			return false
		}
		if p.Labels == nil {
			p.Labels = make(map[string]string, 4)
		}
		p.Labels[key] = value
		return true
	case "annotations":
		isKnown := key == localConfigAnnotation || key == argoHookAnnotation || key == ownerAnnotation
		isTwice := slices.Contains(q.notes, key)
		q.notes = append(q.notes, key)
		if key == ownerAnnotation {
			q.owner = value
		}
		return isKnown && !isTwice
	}
	field := q.field(key)
	if field == nil || *field != "" {
		return false
	}
	*field = value
	return true
}

// field returns the field with a key, or nil if there is none.
func (q *quickLines) field(key string) *string {
	p := q.placement
	switch q.outer {
	case "":
		switch key {
		case "apiVersion":
			return &p.APIVersion
		case "kind":
			return &p.Kind
		}
	case "metadata":
		switch key {
		case "name":
			return &p.Name
		case "namespace":
			return &p.Namespace
		}
	case "spec":
		switch key {
		case "targetDestinationName":
			return &p.Spec.TargetDestinationName
		case "promiseName":
			return &p.Spec.PromiseName
		case "resourceName":
			return &p.Spec.ResourceName
		case "id":
			return &p.Spec.ID
		}
	}
	return nil
}

// isPlainKey reports whether a text is an unquoted key that YAML reads as a string.
func isPlainKey(key string) bool {
	_, plain := plainScalar(key)
	return plain && key[0] != '"' && key[0] != '\''
}

// plainScalar returns the string of a scalar. It returns false if YAML might read another value.
func plainScalar(text string) (string, bool) {
	if len(text) > 1 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0] {
		inner := text[1 : len(text)-1]
		return inner, inner != "" && isPlainText(inner)
	}
	if text == "" || !isPlainText(text) {
		return "", false
	}
	return text, isString(text)
}

// isString reports whether YAML certainly reads a text without special characters as a string.
func isString(text string) bool {
	switch first := text[0]; {
	case first == '0' && len(text) > 1 && strings.ContainsRune("xXoObB", rune(text[1])):
		return false // a number
	case first >= '0' && first <= '9':
		return strings.ContainsAny(text, "acdfghijklmnpqrstuvwyz") // else it may be a number or a date
	case first == '.' || first == '-' || first == '_' || first == '/':
		return false
	}
	if len(text) > len("false") {
		return true
	}
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return true
}

// isPlainText reports whether no character of a text has a special meaning in YAML.
func isPlainText(text string) bool {
	for i := range len(text) {
		c := text[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '-' || c > '9') && c != '_' { // the range from - to 9 includes . and /
			return false
		}
	}
	return true
}
