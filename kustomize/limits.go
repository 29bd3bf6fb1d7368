package kustomize

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/yamlnodes"
)

// The limits of a file.
const (
	maxFile      = 64 << 20
	maxDocuments = 20_000
	// maxObjects is the maximum number of objects of a file, including those in lists.
	maxObjects = 20_000
)

// ErrLimit is the error of a file that exceeds a limit of this package.
var ErrLimit = errors.New("it is beyond what is read")

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

func isReadable(content []byte) error {
	if len(content) > maxFile {
		return fmt.Errorf("%w: %d MiB in one file; %d are read", ErrLimit, len(content)>>20, maxFile>>20)
	}
	if count := bytes.Count(content, []byte("\n---")); count > maxDocuments {
		return fmt.Errorf("%w: %d documents in one file; %d are read", ErrLimit, count, maxDocuments)
	}
	return nil
}

func isCountable(objects int) error {
	if objects > maxObjects {
		return fmt.Errorf("%w: it has more than %d objects in one file", ErrLimit, maxObjects)
	}
	return nil
}
