package kube

import (
	"bytes"
	"encoding/json"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// watchCodec decodes the same objects as the NegotiatedSerializer. The library passes over each
// event of a watch twelve times; watchCodec passes over it three times if it has the form in which
// API servers write it, and leaves other events to the library.
type watchCodec struct {
	runtime.NegotiatedSerializer
	scheme *runtime.Scheme
}

func (c watchCodec) SupportedMediaTypes() []runtime.SerializerInfo {
	all := slices.Clone(c.NegotiatedSerializer.SupportedMediaTypes())
	for i, info := range all {
		if info.MediaType != runtime.ContentTypeJSON || info.StreamSerializer == nil {
			continue
		}
		stream := *info.StreamSerializer
		stream.Framer, stream.Serializer = framer{stream.Framer}, eventDecoder{stream.Serializer}
		all[i].Serializer, all[i].StreamSerializer = objectDecoder{info.Serializer, c.scheme}, &stream
	}
	return all
}

// eventDecoder decodes events of a watch. The objects in the events share the memory of the events.
type eventDecoder struct{ runtime.Serializer }

func (d eventDecoder) Decode(text []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	if event, ok := into.(*metav1.WatchEvent); ok {
		if event.Type, event.Object.Raw, ok = splitEvent(text); ok {
			return event, &schema.GroupVersionKind{}, nil
		}
	}
	return d.Serializer.Decode(text, defaults, into)
}

// splitEvent returns the type and the object of an event that begins with its type and has nothing
// after its object. The object need not be valid.
func splitEvent(text []byte) (kind string, object []byte, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"type":"`))
	if !ok {
		return "", nil, false
	}
	name, rest, ok := bytes.Cut(rest, []byte(`","object":{`))
	if !ok || bytes.ContainsAny(name, `"\`) {
		return "", nil, false
	}
	object = text[len(text)-len(rest)-1:]
	object, ok = bytes.CutSuffix(bytes.TrimRight(object, "\r\n\t "), []byte("}"))
	if !ok || new(objectScanner).scan(object) != len(object) {
		return "", nil, false
	}
	return string(name), object, true
}

// objectDecoder decodes objects that unmarshal themselves.
type objectDecoder struct {
	runtime.Serializer
	scheme *runtime.Scheme
}

func (d objectDecoder) Decode(text []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	kind, ok := leadingKind(text)
	if !ok || into != nil || !d.scheme.Recognizes(kind) {
		return d.Serializer.Decode(text, defaults, into)
	}
	object, err := d.scheme.New(kind)
	if err != nil {
		return nil, &kind, err
	}
	decoder, ok := object.(json.Unmarshaler)
	if !ok {
		return d.Serializer.Decode(text, defaults, into)
	}
	if err := decoder.UnmarshalJSON(text); err != nil {
		return nil, &kind, err
	}
	return object, &kind, nil
}

// leadingKind returns the kind of an object that begins with apiVersion and kind, as API servers
// write custom resources.
func leadingKind(text []byte) (schema.GroupVersionKind, bool) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"apiVersion":"`))
	if !ok {
		return schema.GroupVersionKind{}, false
	}
	version, rest, _ := bytes.Cut(rest, []byte(`","kind":"`))
	kind, _, ok := bytes.Cut(rest, []byte(`","metadata":`))
	return schema.FromAPIVersionAndKind(string(version), string(kind)), ok
}
