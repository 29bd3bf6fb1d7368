package kustomize

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"
)

// What kustomize is not given, since it might eat all memory or never end. They are
// limits of a file; a document of it has the same ones.
const (
	maxFile      = 64 << 20
	maxDocuments = 20_000
	// maxObjects bounds the objects of a file, those in lists included.
	maxObjects = 20_000
)

// ErrLimit is a file beyond what kustomize is given.
var ErrLimit = errors.New("it is beyond what is read")

// withinLimits refuses what may be made to burst kustomize.
func withinLimits(content []byte) error {
	if err := isReadable(content); err != nil {
		return err
	}
	nodes := yamlnodes.AtMost(content)
	if nodes > maxFileNodes {
		return fmt.Errorf("%w: it may have %d values in one document; %d are read", ErrLimit, nodes, maxFileNodes)
	}
	return checkShape(content, nodes)
}

// isReadable refuses a file that is too large, or that has too many documents, before
// it is cut into them.
func isReadable(content []byte) error {
	if len(content) > maxFile {
		return fmt.Errorf("%w: %d MiB in one file; %d are read", ErrLimit, len(content)>>20, maxFile>>20)
	}
	if count := bytes.Count(content, []byte("\n---")); count > maxDocuments {
		return fmt.Errorf("%w: %d documents in one file; %d are read", ErrLimit, count, maxDocuments)
	}
	return nil
}

// isCountable refuses a file with too many objects.
func isCountable(objects int) error {
	if objects > maxObjects {
		return fmt.Errorf("%w: it has more than %d objects in one file", ErrLimit, maxObjects)
	}
	return nil
}
