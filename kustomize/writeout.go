package kustomize

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	k8syaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/resource"
)

// Outcome describes whether and how Flux applies an object after the build. The zero Outcome means
// that Flux applies the object unchanged.
type Outcome struct {
	// Unwritable is Flux's error message if Flux cannot write out the object or decode it again.
	// Flux then applies none of the objects of the root.
	Unwritable string `json:",omitempty"`
	// NotApplied is the reason why Flux skips the object without an error.
	NotApplied string `json:",omitempty"`
	// Stripped describes the fields that Flux drops from the object without an error.
	Stripped string `json:",omitempty"`
	// Local means that kustomize drops the object because of its annotation
	// config.kubernetes.io/local-config.
	Local bool `json:",omitempty"`
}

// Applied reports whether Flux applies the object if the root does not fail.
func (f Outcome) Applied() bool { return f.NotApplied == "" && !f.Local }

// Beginnings of Flux's error messages.
const (
	undecodable = "failed to decode Kubernetes apiVersion, kind and name from: "
	unbuilt     = "kustomize build failed: "
)

// SecretContent is the text that replaces the content of a Secret in Flux's messages.
const SecretContent = "(the Secret's content)"

// maxMessage is the maximum length in bytes of an object within a message.
const maxMessage = 4 << 10

func writeOut(res *resource.Resource) (fate Outcome) {
	defer func() {
		if r := recover(); r != nil {
			fate = Outcome{Unwritable: fmt.Sprintf("kustomize panics when it writes the object out: %v", r)}
		}
	}()
	if res.GetName() == "" || res.GetKind() == "" || res.GetApiVersion() == "" {
		return Outcome{Unwritable: fluxMessage(undecodable, res.String(), "", res)}
	}
	built := resmap.New()
	if err := built.Append(res); err != nil {
		return Outcome{Unwritable: unbuilt + err.Error()}
	}
	text, err := built.AsYaml()
	if err != nil {
		cause := errors.Unwrap(err)
		if cause == nil {
			return Outcome{Unwritable: unbuilt + err.Error()}
		}
		object := strings.TrimSuffix(err.Error(), ": "+cause.Error())
		return Outcome{Unwritable: fluxMessage(unbuilt, object, ": "+cause.Error(), res)}
	}
	fate, err = decodeBack(text)
	if err != nil {
		return Outcome{Unwritable: err.Error()}
	}
	return fate
}

var quotedValue = regexp.MustCompile("`[^`]*`")

// fluxMessage returns Flux's message about an object. It replaces the content of a Secret, and cuts
// the middle out of a very large object.
func fluxMessage(before, object, after string, res *resource.Resource) string {
	if strings.EqualFold(res.GetKind(), "Secret") {
		if !strings.HasSuffix(object, "(nil)") {
			object = SecretContent
		}
		after = quotedValue.ReplaceAllLiteralString(after, "`...`")
	}
	if over := len(object) - maxMessage; over > 0 {
		object = object[:maxMessage/2] + " ... " + object[len(object)-maxMessage/2:]
	}
	return before + object + after
}

// decodeBack decodes the text that kustomize has written for one object, and returns the Outcome.
func decodeBack(text []byte) (Outcome, error) {
	decoder := k8syaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 2048)
	fate, objects := Outcome{}, 0
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		switch {
		case errors.Is(err, io.EOF) && objects == 0:
			return Outcome{NotApplied: "it is empty when it is written out"}, nil
		case errors.Is(err, io.EOF):
			return fate, nil
		case err != nil:
			return Outcome{}, err
		}
		objects++
		if object.IsList() {
			if err := object.EachListItem(func(runtime.Object) error { return nil }); err != nil {
				return Outcome{}, err
			}
		}
		fate = outcomeOf(object)
	}
}

func outcomeOf(object *unstructured.Unstructured) Outcome {
	switch {
	case object.IsList():
		return Outcome{NotApplied: "it has a field items, so Flux takes it for a list and applies just what is in that"}
	case object.GetName() == "":
		return Outcome{NotApplied: "its metadata.name is not a string"}
	case object.GetAPIVersion() == "":
		return Outcome{NotApplied: "its apiVersion is not a string"}
	case strings.EqualFold(object.GetKind(), "Kustomization") && strings.HasPrefix(object.GetAPIVersion(), "kustomize.config.k8s.io/"):
		return Outcome{NotApplied: "it is a kustomization for kustomize, in a file that is not called so"}
	}
	var stripped []string
	if value, there, _ := unstructured.NestedFieldNoCopy(object.Object, "metadata", "namespace"); there && value != nil && !isString(value) {
		stripped = append(stripped, "its metadata.namespace is not a string, and Flux applies it without")
	}
	if value, there, _ := unstructured.NestedFieldNoCopy(object.Object, "metadata", "labels"); there && value != nil && !isStrings(value) {
		stripped = append(stripped, "not all of its labels are strings, and Flux applies it without any")
	}
	return Outcome{Stripped: strings.Join(stripped, "; ")}
}

func isString(value any) bool {
	_, text := value.(string)
	return text
}

// isStrings reports whether Kubernetes accepts a value as a map of strings. Kubernetes decodes null
// as the empty string.
func isStrings(value any) bool {
	fields, isMap := value.(map[string]any)
	for _, field := range fields {
		if field != nil && !isString(field) {
			return false
		}
	}
	return isMap
}
