package pipeline

import (
	"errors"
	"fmt"
	"io/fs"

	"go.yaml.in/yaml/v3"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// ErrNoRequest is the error if input/object.yaml is missing. It wraps ErrInput.
var ErrNoRequest = fmt.Errorf("%w: %s is missing: it holds the request, or for a Promise's own pipeline the Promise", ErrInput, requestFile)

// ReadRequest returns the header of input/object.yaml: the request, or the Promise in one of its
// own pipelines.
func ReadRequest(dir fs.FS) (kratix.Header, error) {
	content, err := fs.ReadFile(dir, requestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return kratix.Header{}, ErrNoRequest
	}
	if err != nil {
		return kratix.Header{}, fmt.Errorf("read %s: %w", requestFile, err)
	}
	parsed, err := kratix.Parse(content, 1)
	var at *kratix.LineError
	switch {
	case errors.As(err, &at):
		return kratix.Header{}, fmt.Errorf("%w: %s line %d: %w", ErrInput, requestFile, at.Line, err)
	case err != nil:
		return kratix.Header{}, fmt.Errorf("%w: %s: %w", ErrInput, requestFile, err)
	case len(parsed) != 1:
		return kratix.Header{}, fmt.Errorf("%w: %s must hold one object, the request", ErrInput, requestFile)
	case parsed[0].Header.Metadata.Name == "":
		return kratix.Header{}, fmt.Errorf("%w: %s: metadata.name is missing", ErrInput, requestFile)
	}
	return parsed[0].Header, nil
}

// readAnnotations returns the annotations of input/object.yaml with the given keys. The value of a
// missing annotation is empty.
func readAnnotations(dir fs.FS, keys []string) (map[string]string, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	content, err := fs.ReadFile(dir, requestFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoRequest
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", requestFile, err)
	}
	var object struct {
		Metadata struct {
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"metadata"`
	}
	if err := yaml.Unmarshal(content, &object); err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrInput, requestFile, plainYAML(err))
	}
	copied := make(map[string]string, len(keys))
	for _, key := range keys {
		copied[key] = object.Metadata.Annotations[key]
	}
	return copied, nil
}
