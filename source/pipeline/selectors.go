package pipeline

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// entry is one destination selector of the metadata.
type entry struct {
	Directory        string            `yaml:"directory"`
	MatchLabels      map[string]string `yaml:"matchLabels"`
	MatchExpressions []expression      `yaml:"matchExpressions"`

	file string
	line int
}

type expression struct {
	Key      string   `yaml:"key"`
	Operator string   `yaml:"operator"`
	Values   []string `yaml:"values"`
}

func (e entry) selector(source string) kratix.Selector {
	asked := kratix.Selector{MatchLabels: e.MatchLabels, Source: source}
	for _, x := range e.MatchExpressions {
		asked.MatchExpressions = append(asked.MatchExpressions, metav1.LabelSelectorRequirement{
			Key: x.Key, Operator: metav1.LabelSelectorOperator(x.Operator), Values: x.Values,
		})
	}
	return asked
}

// The possible files with destination selectors, the newest first. The last has a plain map of
// labels.
const (
	selectorsFile        = "metadata/destination-selectors.yaml"
	schedulingFile       = "metadata/scheduling.yaml"
	clusterSelectorsFile = "metadata/cluster-selectors.yaml"
)

func readSelectors(dir fs.FS) ([]entry, error) {
	var found string
	var content []byte
	for _, name := range []string{selectorsFile, schedulingFile, clusterSelectorsFile} {
		read, err := fs.ReadFile(dir, name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return nil, fmt.Errorf("read %s: %w", name, err)
		case found != "":
			return nil, fmt.Errorf("%w: both %s and %s are there, and only one can count; keep the first", ErrInput, found, name)
		}
		found, content = name, read
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrInput, found, plainYAML(err))
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	if found == clusterSelectorsFile {
		return plainLabels(document.Content[0])
	}
	return list(document.Content[0], found)
}

func plainLabels(node *yaml.Node) ([]entry, error) {
	labels := map[string]string{}
	if err := node.Decode(&labels); err != nil {
		return nil, fmt.Errorf("%w: %s: it must be a map of labels: %s", ErrInput, clusterSelectorsFile, plainYAML(err))
	}
	if len(labels) == 0 {
		return nil, nil
	}
	return []entry{{Directory: kratix.DefaultDirectory, MatchLabels: labels, file: clusterSelectorsFile, line: node.Line}}, nil
}

func list(node *yaml.Node, file string) ([]entry, error) {
	if node.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("%w: %s line %d: it must be a list of entries with matchLabels", ErrInput, file, node.Line)
	}
	var entries []entry
	for _, item := range node.Content {
		e, err := one(item)
		if err == nil && slices.ContainsFunc(entries, func(other entry) bool { return other.Directory == e.Directory }) {
			err = fmt.Errorf("the directory %q is defined twice", e.Directory)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s line %d: %w", ErrInput, file, item.Line, err)
		}
		e.file, e.line = file, item.Line
		entries = append(entries, e)
	}
	return entries, nil
}

// one parses an entry. Unlike Kratix, it rejects unknown keys, which may be misspelt.
func one(item *yaml.Node) (entry, error) {
	var e entry
	if item.Kind != yaml.MappingNode {
		return e, errors.New("an entry must have matchLabels, and may have a directory")
	}
	for i := 0; i < len(item.Content); i += 2 {
		if key := item.Content[i].Value; !slices.Contains(entryKeys(), key) {
			return e, fmt.Errorf("the key %q is not known%s", key, suggestion(key))
		}
	}
	if err := item.Decode(&e); err != nil {
		return e, errors.New(plainYAML(err))
	}
	if err := checkExpressionKeys(item); err != nil {
		return e, err
	}
	if len(e.MatchLabels)+len(e.MatchExpressions) == 0 {
		return e, errors.New("matchLabels is missing or empty")
	}
	if err := kratix.CheckExpressions(e.selector("").MatchExpressions); err != nil {
		return e, err
	}
	e.Directory = path.Clean(e.Directory)
	if strings.Contains(e.Directory, "/") || e.Directory == ".." {
		return e, fmt.Errorf("the directory %q must be one directly in %s/", e.Directory, outputDir)
	}
	return e, nil
}

func entryKeys() []string { return []string{"directory", "matchLabels", "matchExpressions"} }

func checkExpressionKeys(item *yaml.Node) error {
	for i := 0; i < len(item.Content); i += 2 {
		if item.Content[i].Value != "matchExpressions" {
			continue
		}
		for _, x := range item.Content[i+1].Content {
			for j := 0; j < len(x.Content); j += 2 {
				if key := x.Content[j].Value; !slices.Contains([]string{"key", "operator", "values"}, key) {
					return fmt.Errorf("the key %q of matchExpressions is not known; an expression has key, operator and values", key)
				}
			}
		}
	}
	return nil
}

func plainYAML(err error) string {
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "yaml: "), "unmarshal errors:")
	return strings.Join(strings.Fields(text), " ")
}

func suggestion(key string) string {
	switch strings.ToLower(key) {
	case "dir", "folder", "path", "directories":
		return "; did you mean directory?"
	case "expressions", "matchexpression", "matchexpressions":
		return "; did you mean matchExpressions?"
	case "labels", "selector", "selectors", "matchlabels", "matchlabel":
		return "; did you mean matchLabels?"
	}
	return "; an entry has matchLabels or matchExpressions and, if need be, directory"
}
