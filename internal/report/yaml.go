package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

// YAML writes a document as one YAML document with the keys of the JSON form.
func YAML(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	start, err := MarshalYAML(d.head())
	if err != nil {
		return err
	}
	_, _ = out.Write(start) // Flush returns the error
	if err := sequence(out, "findings", d.Findings, d.found); err != nil {
		return err
	}
	if err := sequence(out, "placements", d.Placements, d.placement()); err != nil {
		return err
	}
	if err := sequence(out, "stores", d.Stores, d.store); err != nil {
		return err
	}
	if err := sequence(out, "changes", d.changes(), func(c change) change { return c }); err != nil {
		return err
	}
	return out.Flush()
}

func sequence[T, U any](out *bufio.Writer, name string, items []T, convert func(T) U) error {
	if len(items) == 0 {
		printf(out, "%s: []\n", name)
		return nil
	}
	printf(out, "%s:\n", name)
	for _, item := range items {
		text, err := MarshalYAML([]U{convert(item)})
		if err != nil {
			return err
		}
		_, _ = out.Write(text) // Flush returns the error
	}
	return nil
}

// MarshalYAML returns value as YAML with the keys of its JSON form. Unprintable characters are
// escaped.
func MarshalYAML(value any) ([]byte, error) {
	encoded, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	decoder.UseNumber()
	if err := decoder.Decode(&decoded); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	encoder.CompactSeqIndent()
	if err := encoder.Encode(nodeOf(decoded)); err != nil {
		return nil, err
	}
	if err := encoder.Close(); err != nil {
		return nil, err
	}
	return []byte(printable.Lines(out.String())), nil // remaining unprintable characters are in quoted strings
}

// older matches strings that YAML 1.1 parses as booleans or base-60 numbers, as the libraries of
// Kubernetes do.
var older = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$|^[-+]?[0-9][0-9_]*(:[0-9_.]+)+$`)

func nodeOf(value any) *yaml.Node {
	switch value := value.(type) {
	case map[string]any:
		node := &yaml.Node{Kind: yaml.MappingNode}
		for _, key := range slices.Sorted(maps.Keys(value)) {
			node.Content = append(node.Content, nodeOf(key), nodeOf(value[key]))
		}
		return node
	case []any:
		node := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range value {
			node.Content = append(node.Content, nodeOf(item))
		}
		return node
	case nil:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: "null"}
	case string:
		node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
		if !printable.IsPlain(value) || older.MatchString(value) {
			node.Style = yaml.DoubleQuotedStyle
		}
		return node
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: fmt.Sprint(value)} // a number, true or false
}
