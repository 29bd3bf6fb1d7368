package applycheck

import (
	"encoding/base64"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// The limits of Kubernetes, in bytes.
const (
	// maxData is the limit for the sum of all values of a ConfigMap or a Secret.
	maxData = 1 << 20
	// maxStored is etcd's default limit for a request.
	maxStored = 3 << 19
)

func checkSize(o *objectFacts, content *kustomize.Content) []fault {
	if o.Group == "" && (o.Kind == "ConfigMap" || o.Kind == "Secret") {
		size := 0
		for _, name := range []string{"data", "binaryData", "stringData"} {
			fields, _ := content.Fields[name].(map[string]any)
			for _, value := range fields {
				size += dataSize(o.Kind, name, value)
			}
		}
		if size > maxData {
			at := map[string]*field.Path{"ConfigMap": field.NewPath(""), "Secret": field.NewPath("data")}[o.Kind]
			f := invalid(finding.InvalidMetadata(), o, content.LineOf("data"), field.TooLong(at, "", maxData))
			f.words = fmt.Sprintf("its data is %d bytes; the API server accepts %d", size, maxData)
			return []fault{f}
		}
	}
	if size := textSize(content.Fields); size > maxStored {
		return []fault{newFault(finding.InvalidMetadata(), o, o.line, fmt.Sprintf("its values are %d bytes; etcd stores objects of up to %d", size, maxStored))}
	}
	return nil
}

// dataSize returns the minimum size of a value of a ConfigMap or Secret. Like the API server, it
// counts the decoded size of base64.
func dataSize(kind, name string, value any) int {
	text, _ := value.(string)
	if name == "binaryData" || kind == "Secret" && name == "data" {
		return base64.StdEncoding.DecodedLen(len(text)) - 2
	}
	return len(text)
}

// textSize returns the size in bytes of all string values of an object.
func textSize(value any) int {
	size := 0
	switch v := value.(type) {
	case string:
		size = len(v)
	case map[string]any:
		for _, field := range v {
			size += textSize(field)
		}
	case []any:
		for _, item := range v {
			size += textSize(item)
		}
	}
	return size
}
