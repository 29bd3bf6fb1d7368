// Package kustomize parses and builds files as Flux does, with kustomize's library. It does no I/O.
//
// Kustomizations from users should be built in a process of their own: see [Builder] and the
// package sandbox.
package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resource"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Object is an object of a file or of a build.
type Object struct {
	ID ID
	// Line is the line of the file at which the object starts, counted from 1.
	Line int
	// Defines is the kind that a CustomResourceDefinition defines. It is nil for other objects.
	Defines *Definition
	// Repeats is a field that occurs twice in the object, or nil if there is none.
	Repeats *RepeatedField
	// Outcome is the result of the steps after the build. The function Objects does not set it.
	Outcome Outcome
	plain   bool
}

// Loads reports whether Flux reads a file with this path as Kubernetes objects.
func Loads(path tree.Path) bool {
	base := path.Base()
	return strings.HasSuffix(base, ".yaml") || strings.HasSuffix(base, ".yml")
}

// Overlooked reports whether a file may contain Kubernetes objects although Flux does not read a
// file with this name.
func Overlooked(path tree.Path, content []byte) bool {
	if Loads(path) || IsKustomization(path) {
		return false
	}
	base := path.Base()
	switch dot := strings.LastIndexByte(base, '.'); {
	case dot < 0:
	case !slices.Contains([]string{".json", ".yaml", ".yml"}, strings.ToLower(base[dot:])):
		return false
	}
	return bytes.Contains(content, []byte("apiVersion")) && bytes.Contains(content, []byte("kind"))
}

// Objects parses a file as Flux's build does, and returns its objects in kustomize's order. The
// error is a FileError.
func Objects(content []byte) ([]Object, error) {
	objects, _, err := objectsAndNode(content)
	return objects, err
}

// objectsAndNode does the same as Objects. It also returns the node of the last object, or nil.
func objectsAndNode(content []byte) (objects []Object, last *yaml.Node, err error) {
	schema.RLock()
	defer schema.RUnlock()
	if err := isReadable(content); err != nil {
		return nil, nil, atLine(err, 1)
	}
	if mayHoldList(content) {
		objects, err = listObjects(content)
		return objects, nil, err
	}
	err = eachResource(content, func(res *resource.Resource, line int) error {
		last = res.YNode()
		objects = append(objects, objectOf(res, line+last.Line-1))
		return isCountable(len(objects))
	})
	if err != nil {
		return nil, nil, err
	}
	return objects, last, nil
}

// eachResource calls visit for the objects of a file in kustomize's order. line is the line at
// which the document with the object starts, or 1 if the file may contain lists.
func eachResource(content []byte, visit func(res *resource.Resource, line int) error) error {
	docs := []document{{content: content, line: 1}}
	if !mayHoldList(content) {
		docs = documents(content)
	}
	for _, doc := range docs {
		found, err := resources(doc.content)
		if err != nil {
			return atLine(err, doc.line)
		}
		for _, res := range found {
			if err := visit(res, doc.line); err != nil {
				return atLine(err, doc.line)
			}
		}
	}
	return nil
}

// FileError is the error of a file that cannot be parsed.
type FileError struct {
	// Line is the line that the YAML library's error names, or the first line of the invalid
	// document.
	Line int
	// Err is the error without the line.
	Err error
}

// Error returns the message of Err.
func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *FileError) Unwrap() error { return e.Err }

func atLine(err error, line int) error {
	var yamlLine int
	if _, after, found := strings.Cut(err.Error(), "yaml: line "); found {
		if n, scanErr := fmt.Sscanf(after, "%d", &yamlLine); n == 1 && scanErr == nil {
			line += yamlLine - 1
		}
	}
	return &FileError{Line: line, Err: err}
}

type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("kustomize panics on it: %v", e.value) }

func asPanic(err error, at **panicError) bool { return errors.As(err, at) }

// resources decodes content and determines the ID of each object. A panic of kustomize becomes an
// error.
func resources(content []byte) (found []*resource.Resource, err error) {
	defer recoverTo(&err)
	if found, err = decode(content); err != nil {
		return nil, err
	}
	for _, res := range found {
		res.CurId()
	}
	return found, nil
}

// decode decodes content as kustomize does. A panic of kustomize becomes an error.
func decode(content []byte) (found []*resource.Resource, err error) {
	if err := withinLimits(content); err != nil {
		return nil, err
	}
	defer recoverTo(&err)
	return provider.NewDefaultDepProvider().GetResourceFactory().SliceFromBytes(content)
}

func recoverTo(err *error) {
	if r := recover(); r != nil {
		*err = &panicError{r}
	}
}

func objectOf(res *resource.Resource, line int) Object {
	object := Object{ID: idOf(res), Line: line, Defines: definitionIn(res), plain: isPlain(res.YNode())}
	if !object.plain {
		object.Repeats = repeatedIn(res, line-res.YNode().Line)
	}
	return object
}

func idOf(res *resource.Resource) ID {
	id := res.CurId()
	return ID{APIVersion: id.ApiVersion(), Kind: id.Kind, Name: id.Name, Namespace: id.EffectiveNamespace()}
}

// ErrBuild is the error that Build and BuildUnits wrap if a build fails.
var ErrBuild = errors.New("kustomize build failed")
