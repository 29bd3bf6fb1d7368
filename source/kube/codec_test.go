package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/runtime/serializer/streaming"
	restwatch "k8s.io/client-go/rest/watch"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

var platformVersion = schema.GroupVersion{Group: "platform.kratix.io", Version: "v1alpha1"}

func codecs() (library, quick runtime.NegotiatedSerializer) {
	scheme := runtime.NewScheme()
	register[kratix.Work](scheme, platformVersion, kratix.WorkKind)
	metav1.AddToGroupVersion(scheme, platformVersion)
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	inner := serializer.NewCodecFactory(scheme).WithoutConversion()
	return inner, watchCodec{inner, scheme}
}

func decoderOf(t testing.TB, codec runtime.NegotiatedSerializer, stream io.Reader) *restwatch.Decoder {
	t.Helper()
	objects, events, framer, err := runtime.NewClientNegotiator(codec, platformVersion).StreamDecoder(runtime.ContentTypeJSON, nil)
	if err != nil {
		t.Fatal(err)
	}
	return restwatch.NewDecoder(streaming.NewDecoder(framer.NewFrameReader(io.NopCloser(stream)), events), objects)
}

const sentWork = `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{"name":"w","namespace":"default","annotations":{"a":"}]\\\"{ \u00e9","b\\":"\\"}},` +
	`"spec":{"promiseName":"p","workloadGroups":[{"id":"1","workloads":[{"filepath":"a.yaml","content":"H4sI"}]}]},"status":{"workPlacements":1}}`

var streams = []string{
	`{"type":"ADDED","object":` + sentWork + "}\n" + `{"type":"DELETED","object":` + sentWork + "}\n",
	`{"type":"ADDED","object":` + sentWork + `}{"type":"MODIFIED","object":` + sentWork + "}",
	" \n{ \"type\": \"ADDED\",\n \"object\": " + sentWork + "}\n\n",
	`{"object":` + sentWork + `,"type":"ADDED"}`,
	`{"type":"ADDED","object":` + sentWork + `,"object":` + strings.Replace(sentWork, `"w"`, `"v"`, 1) + "}",
	`{"type":"ADDED","object":` + sentWork + `,"more":1}`,
	`{"type":"\u0041DDED","object":` + sentWork + `}`,
	`{"type":"BOOKMARK","object":{"kind":"Work","apiVersion":"platform.kratix.io/v1alpha1","metadata":{"resourceVersion":"5","annotations":{"k8s.io/initial-events-end":"true"}}}}`,
	`{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"too old","reason":"Expired","code":410}}`,
	`{"type":"ADDED","object":` + strings.Replace(sentWork, `"workPlacements":1`, `"workPlacements":"x"`, 1) + "}",
	`{"type":"ADDED","object":` + strings.Replace(sentWork, `"kind":"Work"`, `"kind":"Other"`, 1) + "}",
	`{"type":"ADDED","object":` + strings.Replace(sentWork, `"metadata"`, `"x":1,"metadata"`, 1) + "}",
	`{"type":"ODD","object":` + sentWork + "}", `{"type":"ADDED"}`, `{"type":"ADDED","object":null}`, `{"type":"ADDED","object":{}}`,
	`{"type":"ADDED","object":` + sentWork, `{"type":"ADDED","object":{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{]}}`, `{"type":"ADDED"`, `[]`, `x`, ``, `{}`, `{"a":"`,
}

type decoded struct {
	kind   string
	object runtime.Object
	failed bool
	ended  bool
}

func decodeAll(t testing.TB, codec runtime.NegotiatedSerializer, stream io.Reader) (all []decoded) {
	t.Helper()
	for decoder := decoderOf(t, codec, stream); ; {
		kind, object, err := decoder.Decode()
		all = append(all, decoded{string(kind), object, err != nil, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)})
		if err != nil {
			return all
		}
	}
}

func TestWatchesAreDecodedAsByTheLibrary(t *testing.T) {
	library, quick := codecs()
	for _, stream := range streams {
		want := decodeAll(t, library, strings.NewReader(stream))
		for _, got := range [][]decoded{decodeAll(t, quick, strings.NewReader(stream)), decodeAll(t, quick, iotest.OneByteReader(strings.NewReader(stream)))} {
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\ngot  %+v\nwant %+v", stream, got, want)
			}
		}
	}
}

func TestListsAreDecodedAsByTheLibrary(t *testing.T) {
	library, quick := codecs()
	text := []byte(`{"apiVersion":"platform.kratix.io/v1alpha1","kind":"WorkList","metadata":{"resourceVersion":"7"},"items":[` + sentWork + "," + sentWork + "]}")
	var decoded []runtime.Object
	for _, codec := range []runtime.NegotiatedSerializer{library, quick} {
		decoder, err := runtime.NewClientNegotiator(codec, platformVersion).Decoder(runtime.ContentTypeJSON, nil)
		if err != nil {
			t.Fatal(err)
		}
		object, err := runtime.Decode(decoder, text)
		if err != nil {
			t.Fatal(err)
		}
		decoded = append(decoded, object)
	}
	if !reflect.DeepEqual(decoded[0], decoded[1]) {
		t.Errorf("got  %+v\nwant %+v", decoded[1], decoded[0])
	}
}

func TestEventOfUsualFormIsNotParsedByTheLibrary(t *testing.T) {
	_, quick := codecs()
	_, events, _, err := runtime.NewClientNegotiator(quick, platformVersion).StreamDecoder(runtime.ContentTypeJSON, nil)
	if err != nil {
		t.Fatal(err)
	}
	decoder, ok := events.(eventDecoder)
	if !ok {
		t.Fatalf("%T", events)
	}
	decoder.Serializer = nil
	var event metav1.WatchEvent
	if _, _, err := decoder.Decode([]byte(`{"type":"ADDED","object":`+sentWork+"}\n"), nil, &event); err != nil || string(event.Object.Raw) != sentWork {
		t.Errorf("%v, %s", err, event.Object.Raw)
	}
	objects, ok := quick.SupportedMediaTypes()[0].Serializer.(objectDecoder)
	objects.Serializer = nil
	object, _, err := objects.Decode([]byte(sentWork), nil, nil)
	if work, isWork := object.(*sent[kratix.Work, *kratix.Work]); err != nil || !ok || !isWork || work.object.Name != "w" {
		t.Errorf("%v, %+v", err, object)
	}
}

func TestObjectIsDecodedIntoTheGivenOne(t *testing.T) {
	_, quick := codecs()
	into := &sent[kratix.Work, *kratix.Work]{}
	object, _, err := quick.SupportedMediaTypes()[0].Serializer.Decode([]byte(sentWork), nil, into)
	if err != nil || object != runtime.Object(into) || into.object.Name != "w" {
		t.Errorf("%v, %+v", err, object)
	}
}

// The library gives up an event of 16 MiB, and continues with the next one.
func TestTooLargeEventIsSkipped(t *testing.T) {
	_, quick := codecs()
	large := `{"type":"ADDED","object":{"a":"` + strings.Repeat("x", 16<<20) + `"}}`
	decoder := decoderOf(t, quick, strings.NewReader(large+streams[0]))
	if _, _, err := decoder.Decode(); !errors.Is(err, streaming.ErrObjectTooLarge) {
		t.Fatal(err)
	}
	if kind, _, err := decoder.Decode(); kind != "ADDED" || err != nil {
		t.Errorf("%s, %v", kind, err)
	}
}

func FuzzFrames(f *testing.F) {
	for _, stream := range streams {
		f.Add([]byte(stream), 7)
	}
	f.Fuzz(func(t *testing.T, stream []byte, size int) {
		frames := framer{}.NewFrameReader(io.NopCloser(bytes.NewReader(stream)))
		want := json.NewDecoder(bytes.NewReader(stream))
		for {
			var object json.RawMessage
			if err := want.Decode(&object); err != nil || object[0] != '{' {
				return // the object is invalid, and the decoder of events reports it
			}
			if got, err := readFrame(frames, 1+size&0xff); err != nil || !bytes.Equal(got, object) {
				t.Fatalf("got %s, want %s: %v", got, object, err)
			}
		}
	})
}

func readFrame(from io.Reader, size int) (frame []byte, err error) {
	for part := make([]byte, size); ; {
		n, err := from.Read(part)
		frame = append(frame, part[:n]...)
		if !errors.Is(err, io.ErrShortBuffer) {
			return frame, err
		}
	}
}
