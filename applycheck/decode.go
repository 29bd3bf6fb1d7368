package applycheck

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// decodeMetadata decodes the metadata of an object. For simple metadata it does not use the slow
// converter of apimachinery.
func decodeMetadata(metadata map[string]any) (*metav1.ObjectMeta, error) {
	if decoded := plainMetadata(metadata); decoded != nil {
		return decoded, nil
	}
	decoded := &metav1.ObjectMeta{}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(metadata, decoded)
	return decoded, err
}

// plainMetadata decodes simple metadata. It returns nil for other metadata.
func plainMetadata(metadata map[string]any) *metav1.ObjectMeta {
	decoded := &metav1.ObjectMeta{}
	for name, value := range metadata {
		text, isText := value.(string)
		texts, areTexts := textMap(value)
		switch {
		case isText && name == "name":
			decoded.Name = text
		case isText && name == "namespace":
			decoded.Namespace = text
		case isText && name == "generateName":
			decoded.GenerateName = text
		case areTexts && name == "labels":
			decoded.Labels = texts
		case areTexts && name == "annotations":
			decoded.Annotations = texts
		default:
			return nil
		}
	}
	return decoded
}

// decodeSelector decodes a label selector. For a selector with only labels it does not use the slow
// converter.
func decodeSelector(selector map[string]any) (*metav1.LabelSelector, error) {
	if texts, areTexts := textMap(selector["matchLabels"]); areTexts && len(selector) == 1 {
		return &metav1.LabelSelector{MatchLabels: texts}, nil
	}
	decoded := &metav1.LabelSelector{}
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(selector, decoded)
	return decoded, err
}

func textMap(value any) (map[string]string, bool) {
	fields, isMap := value.(map[string]any)
	if !isMap {
		return nil, false
	}
	texts := make(map[string]string, len(fields))
	for key, value := range fields {
		text, isText := value.(string)
		if !isText {
			return nil, false
		}
		texts[key] = text
	}
	return texts, true
}
