package pipeline

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// ErrNoRequest means that input/object.yaml is missing. It wraps ErrInput.
var ErrNoRequest = fmt.Errorf("%w: %s is missing: it holds the request, or for a Promise's own pipeline the Promise", ErrInput, requestFile)

// ReadRequest returns the header of input/object.yaml, the object for which the pipeline ran: a
// request, or for a Promise's own pipeline the Promise.
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
