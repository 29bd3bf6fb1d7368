package kube

import (
	"encoding/json"
	"errors"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// sent is an object as received from the API. If it cannot be decoded, it has only its metadata.
type sent[T any, O pointer[T]] struct {
	object T
	wrong  error
}

type pointer[T any] interface {
	*T
	object
}

type receivedObject[O object] interface {
	runtime.Object
	result() (O, error)
}

func (s *sent[T, O]) result() (O, error) { return O(&s.object), s.wrong }

// UnmarshalJSON decodes an object. It fails if the metadata cannot be decoded; other errors are
// recorded in wrong.
func (s *sent[T, O]) UnmarshalJSON(text []byte) error {
	*s = sent[T, O]{}
	if s.wrong = utiljson.Unmarshal(text, &s.object); s.wrong == nil {
		return nil
	}
	s.wrong = errors.New(kratix.PlainReason(s.wrong))
	var named struct {
		metav1.TypeMeta `json:",inline"`
		Metadata        json.RawMessage `json:"metadata"`
	}
	err := utiljson.Unmarshal(text, &named)
	if err == nil {
		text, err = json.Marshal(named)
	}
	if err != nil {
		return err
	}
	var empty T
	s.object = empty
	return utiljson.Unmarshal(text, &s.object)
}

// GetObjectKind implements runtime.Object.
func (s *sent[T, O]) GetObjectKind() schema.ObjectKind { return O(&s.object).GetObjectKind() }

// GetObjectMeta implements metav1.ObjectMetaAccessor.
func (s *sent[T, O]) GetObjectMeta() metav1.Object { return O(&s.object) }

// DeepCopyObject returns a shallow copy, which is sufficient here.
func (s *sent[T, O]) DeepCopyObject() runtime.Object {
	made := *s
	return &made
}

type list[T any, O pointer[T]] struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []sent[T, O] `json:"items"`
}

// DeepCopyObject returns a shallow copy, which is sufficient here.
func (l *list[T, O]) DeepCopyObject() runtime.Object {
	made := *l
	return &made
}

func register[T any, O pointer[T]](scheme *runtime.Scheme, version schema.GroupVersion, kind string) {
	scheme.AddKnownTypeWithName(version.WithKind(kind), &sent[T, O]{})
	scheme.AddKnownTypeWithName(version.WithKind(kind+"List"), &list[T, O]{})
}
