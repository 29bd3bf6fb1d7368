package kratix

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	sigsjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/quickyaml"
)

// Parsed is one object of a YAML document.
//
// +kubebuilder:object:generate=false
type Parsed struct {
	// Object is the decoded object. It is nil if the kind is not supported, or if Err is set.
	Object Object
	// Header has the apiVersion, kind and metadata. It may be empty if Err is set.
	Header Header
	// Other is the object as JSON if its kind is not supported.
	Other json.RawMessage
	// Line is the line of the file at which the object starts.
	Line int
	// Unknown are the fields of the object that its kind does not have.
	Unknown []Field
	Err     error
}

// Header has the fields of a Kubernetes object that identify it.
//
// +kubebuilder:object:generate=false
type Header struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Metadata   struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
		UID       string `json:"uid"`
	} `json:"metadata"`
}

// String returns the kind, namespace and name.
func (h Header) String() string { return h.Kind + " " + h.Key().String() }

// Key returns the object's key.
func (h Header) Key() Key { return Key{h.Metadata.Namespace, h.Metadata.Name} }

// Field is a field of a document, with its line.
//
// +kubebuilder:object:generate=false
type Field struct {
	Path string
	Line int
}

// Parse parses a YAML document that starts at the given line of its file. For a List it returns the
// items. Errors about single objects are in the results.
func Parse(document []byte, line int) ([]Parsed, error) {
	if err := checkText(document, line); err != nil {
		return nil, err
	}
	plain, err := toJSON(document)
	if err != nil {
		if control := checkControls(document, line); control != nil {
			return nil, control
		}
		return nil, yamlError(err, line)
	}
	if bytes.Equal(plain, []byte("null")) {
		return nil, nil
	}
	lines := &lineFinder{document: document, first: line}
	return parseJSON(plain, "", lines)
}

func toJSON(document []byte) ([]byte, error) {
	if plain, ok := quickyaml.JSON(document); ok {
		return plain, nil
	}
	return yaml.YAMLToJSONStrict(document)
}

func parseJSON(plain []byte, path string, lines *lineFinder) ([]Parsed, error) {
	var header Header
	if err := json.Unmarshal(plain, &header); err != nil {
		return nil, lines.headerError(path, err)
	}
	if header.Kind == "" || header.APIVersion == "" {
		return nil, &LineError{Line: lines.of(path), Reason: "it is not a Kubernetes object: " + missing(header), NoObject: true}
	}
	if header.hidesKind() && isEncrypted(plain) {
		return nil, &LineError{Line: lines.of(path), Reason: ErrEncrypted.Error(), cause: ErrEncrypted}
	}
	items, isList, err := listItems(plain, header.Kind)
	if err != nil {
		return nil, lines.headerError(path, err)
	}
	if !isList {
		return []Parsed{parseObject(plain, header, path, lines)}, nil
	}
	var parsed []Parsed
	for i, item := range items {
		itemPath := fmt.Sprintf("%sitems[%d]", dotted(path), i)
		inner, err := parseJSON(item, itemPath, lines)
		if err != nil {
			inner = []Parsed{{Line: lines.of(itemPath), Err: err}}
		}
		parsed = append(parsed, inner...)
	}
	return parsed, nil
}

// listItems returns the items of a List, and reports whether the object is a List.
func listItems(plain []byte, kind string) (items []json.RawMessage, isList bool, err error) {
	if !strings.HasSuffix(kind, "List") {
		return nil, false, nil
	}
	var list struct {
		Items *[]json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(plain, &list); err != nil {
		return nil, false, err
	}
	if list.Items == nil {
		return nil, kind == "List", nil
	}
	return *list.Items, true, nil
}

func parseObject(plain []byte, header Header, path string, lines *lineFinder) Parsed {
	parsed := Parsed{Header: header, Line: lines.of(path)}
	object := newObject(header)
	if object == nil {
		parsed.Other = plain
		return parsed
	}
	if isEncrypted(plain) {
		parsed.Err = ErrEncrypted
		return parsed
	}
	strict, err := sigsjson.UnmarshalStrict(plain, object, sigsjson.DisallowUnknownFields)
	if err != nil {
		parsed.Err = lines.typeError(path, err)
		return parsed
	}
	parsed.Object = object
	for _, problem := range strict {
		var field sigsjson.FieldError
		if errors.As(problem, &field) {
			at := field.FieldPath()
			parsed.Unknown = append(parsed.Unknown, Field{Path: at, Line: lines.of(dotted(path) + at)})
		}
	}
	return parsed
}

func newObject(header Header) Object {
	switch {
	case header.APIVersion == "v1" && header.Kind == SecretKind:
		return &Secret{}
	case header.APIVersion == OwnAPIVersion && header.Kind == RolloutKind:
		return &Rollout{}
	case header.APIVersion == OwnAPIVersion && header.Kind == OCIStateStoreKind:
		return &OCIStateStore{}
	case header.APIVersion != APIVersion:
		return nil
	}
	switch header.Kind {
	case WorkKind:
		return &Work{}
	case WorkPlacementKind:
		return &WorkPlacement{}
	case DestinationKind:
		return &Destination{}
	case GitStateStoreKind:
		return &GitStateStore{}
	case BucketStateStoreKind:
		return &BucketStateStore{}
	case PromiseKind:
		return &Promise{}
	}
	return nil
}

func missing(header Header) string {
	switch {
	case header.Kind != "":
		return "apiVersion is missing"
	case header.APIVersion != "":
		return "kind is missing"
	}
	return "apiVersion and kind are missing"
}

func (l *lineFinder) headerError(path string, err error) error {
	fault := l.typeError(path, err)
	if !strings.HasPrefix(fault.Reason, "metadata.") {
		fault.Reason, fault.NoObject = "it is not a Kubernetes object: "+fault.Reason, true
	}
	return fault
}

// Kinds returns the Kratix kinds that Parse supports.
func Kinds() []string {
	return []string{WorkKind, WorkPlacementKind, DestinationKind, GitStateStoreKind, BucketStateStoreKind, PromiseKind}
}

func dotted(path string) string {
	if path == "" {
		return ""
	}
	return path + "."
}

var (
	lineInError = regexp.MustCompile(`line (\d+): `)
	goNames     = regexp.MustCompile(`json: |Go (struct field|value of type) \S+?\.|Go (struct field|value of type) `)
)

// LineError is an error about a document, with a line of the file.
//
// +kubebuilder:object:generate=false
type LineError struct {
	Line   int
	Reason string
	cause  error
	// NoObject means that the document is valid YAML but not a Kubernetes object.
	NoObject bool
}

// Unwrap returns the cause of the error, or nil if there is none.
func (e *LineError) Unwrap() error { return e.cause }

// Error returns the reason without the line.
func (e *LineError) Error() string { return e.Reason }

// yamlError converts an error of the YAML library to a LineError.
func yamlError(err error, first int) error {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = strings.TrimPrefix(text, "yaml: unmarshal errors:")
	text = strings.Join(strings.Fields(strings.TrimPrefix(text, "yaml: ")), " ")
	line := first
	if found := lineInError.FindStringSubmatch(text); found != nil {
		n, _ := strconv.Atoi(found[1])
		line = first + n - 1
		text = strings.Replace(text, found[0], "", 1)
	}
	return &LineError{Line: line, Reason: "malformed YAML: " + plainly(text)}
}

// PlainReason returns the message of an error about decoding JSON, reworded for users.
func PlainReason(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return cmp.Or(kind.Field, "the document") + " cannot be " + withArticle(kind.Value)
	}
	var when *time.ParseError
	if errors.As(err, &when) {
		return fmt.Sprintf("%q is not a time like 2026-01-31T12:00:00Z", strings.Trim(when.Value, `"`))
	}
	return goNames.ReplaceAllString(plainly(err.Error()), "")
}

// plainly rewords some messages of libraries.
func plainly(text string) string {
	switch {
	case strings.Contains(text, "exceeded max depth"):
		return "it is nested more than 10,000 levels deep"
	case strings.Contains(text, "invalid map key: map["):
		return "a map is the key of another; render a template with {{ }} first"
	}
	return text
}

func withArticle(value string) string {
	if strings.HasPrefix(value, "array") || strings.HasPrefix(value, "object") {
		return "an " + value
	}
	return "a " + value
}
