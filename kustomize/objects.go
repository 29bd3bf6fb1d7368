// Package kustomize turns files into what Flux sees of them: the ids of their
// objects, and the verdict of a build in kustomize's own words. It calls
// kustomize's library and does no I/O.
package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/api/resource"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Object is one object of a file.
type Object struct {
	ID ID
	// Line is where the object starts in its file, from 1.
	Line int
	// Defines is what a CustomResourceDefinition defines; nil for other kinds.
	Defines *Definition
	// Repeats is a field that the object has twice; nil when it has none.
	Repeats *RepeatedField
	// Fate is what becomes of the object after the build. Only a Cache finds it
	// out.
	Fate Fate
	// plain is isPlain.
	plain bool
}

// Loads reports whether Flux reads a file with this path as Kubernetes objects.
func Loads(path tree.Path) bool {
	base := path.Base()
	return strings.HasSuffix(base, ".yaml") || strings.HasSuffix(base, ".yml")
}

// Overlooked reports whether a file may hold Kubernetes objects under a name that
// Flux does not read.
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

// Objects reads a file exactly as Flux's build does and returns its objects in
// the order in which kustomize takes them. The error is kustomize's own.
func Objects(content []byte) ([]Object, error) {
	schema.RLock()
	defer schema.RUnlock()
	if err := isReadable(content); err != nil {
		return nil, atLine(err, 1)
	}
	if mayHoldList(content) {
		return listObjects(content)
	}
	var objects []Object
	err := eachResource(content, func(res *resource.Resource, line int) error {
		objects = append(objects, objectOf(res, line+res.YNode().Line-1))
		return isCountable(len(objects))
	})
	if err != nil {
		return nil, err
	}
	return objects, nil
}

// eachResource hands visit the objects of a file in kustomize's order, with the line
// at which the document of each starts. One document after the other is in memory,
// unless the file may hold lists.
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

// FileError says why kustomize cannot read a file.
type FileError struct {
	// Line is where the document at fault starts, or the very line when the
	// YAML library names one.
	Line int
	// Err is what kustomize says.
	Err error
}

// Error returns kustomize's words.
func (e *FileError) Error() string { return e.Err.Error() }

// Unwrap returns kustomize's error.
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

// panicError is a panic of kustomize.
type panicError struct{ value any }

// Error returns the panic's text.
func (e *panicError) Error() string { return fmt.Sprintf("kustomize panics on it: %v", e.value) }

func asPanic(err error, at **panicError) bool { return errors.As(err, at) }

// resources decodes, and sees that each object can be asked for its id, on which
// kustomize's library is known to panic where a list is malformed.
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

// decode decodes with kustomize's factory, which is known to panic on some
// malformed objects.
func decode(content []byte) (found []*resource.Resource, err error) {
	if err := withinLimits(content); err != nil {
		return nil, err
	}
	defer recoverTo(&err)
	return provider.NewDefaultDepProvider().GetResourceFactory().SliceFromBytes(content)
}

// recoverTo makes a panic an error.
func recoverTo(err *error) {
	if r := recover(); r != nil {
		*err = &panicError{r}
	}
}

// objectOf returns what is known of an object that starts at a line.
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

// ErrBuild is what the error of a failed build wraps.
var ErrBuild = errors.New("kustomize build failed")
