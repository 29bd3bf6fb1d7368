package pipeline

import (
	"errors"
	"fmt"
	"io/fs"

	"go.yaml.in/yaml/v3"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	sigsyaml "sigs.k8s.io/yaml"
)

const statusFile = metadataDir + "/status.yaml"

// managedKey is the key in a request's status that only Kratix may write.
const managedKey = "kratix"

// ReadStatus returns the content of metadata/status.yaml, or nil if the file is missing or empty.
// Numbers are int64 or float64. An invalid status is an error.
func ReadStatus(dir fs.FS) (map[string]any, error) {
	if info, err := fs.Stat(dir, metadataDir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("%w: the directory %s/ is missing", ErrInput, metadataDir)
	}
	content, err := fs.ReadFile(dir, statusFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", statusFile, err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrInput, statusFile, plainYAML(err))
	}
	if len(document.Content) == 0 || document.Content[0].Tag == "!!null" {
		return nil, nil
	}
	if wrong := checkStatus(document.Content[0]); wrong != nil {
		return nil, fmt.Errorf("%w: %s %w", ErrInput, statusFile, wrong)
	}
	plain, err := sigsyaml.YAMLToJSONStrict(content)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrInput, statusFile, plainYAML(err))
	}
	said := map[string]any{}
	return said, utiljson.Unmarshal(plain, &said)
}

func checkStatus(status *yaml.Node) error {
	if status.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: it must be a map of keys, such as message: ready", status.Line)
	}
	for i := 0; i < len(status.Content); i += 2 {
		key, value := resolved(status.Content[i]), resolved(status.Content[i+1])
		switch key.Value {
		case managedKey:
			return fmt.Errorf("line %d: the key %s is Kratix's own; take it out, or give it another name", key.Line, managedKey)
		case "<<":
			return fmt.Errorf("line %d: the key << is not for a status; write out what it stands for", key.Line)
		case "message":
			if value.Tag != "!!str" && value.Tag != "!!null" {
				return fmt.Errorf("line %d: message must be text; put it in quotes", value.Line)
			}
		case "conditions":
			if err := checkConditions(value); err != nil {
				return err
			}
		}
	}
	return nil
}

// resolved returns the target of an alias, and any other node itself.
func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func checkConditions(conditions *yaml.Node) error {
	if conditions.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: conditions must be a list of entries with type, status, reason and message", conditions.Line)
	}
	for _, item := range conditions.Content {
		var condition struct {
			Type string `yaml:"type"`
		}
		if err := item.Decode(&condition); err != nil || condition.Type == "" {
			return fmt.Errorf("line %d: a condition must have a type", item.Line)
		}
	}
	return nil
}
