package requests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

type result int

const (
	// unchanged means that nothing was written.
	unchanged result = iota
	patched
	// pruned means that the API server has not stored the written value.
	pruned
)

func statusTarget() target {
	return target{
		content: func(request status.Request) any { return request.Status }, update: updateStatus, what: "the status",
		grant: "If its requests are to have it, grant get and patch on their status to the ServiceAccount, and get on Promises, as deploy/requests does.",
	}
}

func updateStatus(ctx context.Context, w *Writer, t *task) (result, error) {
	path, plural, err := w.collection(ctx, t.group.resource)
	if err != nil {
		return unchanged, err
	}
	at := []string{path, "namespaces", t.Key.Namespace, plural, t.Key.Name, "status"}
	text, err := call(ctx, w.client.Get().AbsPath(at...))
	switch {
	case isGone(err, t.Key.Name):
		return unchanged, nil
	case apierrors.IsNotFound(err):
		t.group.resource.reset() // the Promise may serve another version now
		return unchanged, fmt.Errorf("%w: %w", errNoAPI, err)
	case apierrors.IsForbidden(err):
		return unchanged, fmt.Errorf("%w: %w", errNotGranted, err)
	case err != nil:
		return unchanged, err
	}
	have, leaves, err := fieldOf(text)
	want := fieldsOf(t.Status)
	if err != nil || leaves || reflect.DeepEqual(have, want) {
		return unchanged, err
	}
	body, err := json.Marshal(map[string]any{"status": map[string]any{Field: merge(have, want)}})
	if err != nil {
		return unchanged, err
	}
	answer, err := call(ctx, w.client.Patch(types.MergePatchType).AbsPath(at...).SetHeader("Content-Type", string(types.MergePatchType)).Body(body))
	if isGone(err, t.Key.Name) {
		return unchanged, nil
	}
	if err != nil {
		return unchanged, err
	}
	if kept, _, err := fieldOf(answer); err != nil || !reflect.DeepEqual(kept, want) {
		return pruned, err
	}
	return patched, nil
}

// isGone reports whether err means that the named object does not exist, although its kind does.
func isGone(err error, name string) bool {
	var answer apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &answer) {
		return false
	}
	details := answer.Status().Details
	return details != nil && details.Name == name
}

// fieldOf returns the field in the status of an object. leaves means that the object is being
// deleted.
func fieldOf(text []byte) (field map[string]any, leaves bool, err error) {
	var object struct {
		Metadata metav1.ObjectMeta          `json:"metadata"`
		Status   map[string]json.RawMessage `json:"status"`
	}
	if err := json.Unmarshal(text, &object); err != nil {
		return nil, false, err
	}
	field = map[string]any{}
	if raw := object.Status[Field]; len(raw) > 0 {
		var value any
		if err := json.Unmarshal(raw, &value); err != nil {
			return nil, false, err
		}
		if there, ok := value.(map[string]any); ok {
			field = there
		}
	}
	return field, !object.Metadata.DeletionTimestamp.IsZero(), nil
}

// fieldsOf returns a status in the form that fieldOf returns.
func fieldsOf(wanted status.RequestStatus) map[string]any {
	fields := map[string]any{}
	text, err := json.Marshal(wanted)
	if err == nil {
		err = json.Unmarshal(text, &fields)
	}
	if err != nil {
		panic(fmt.Sprintf("the status of a request: %v", err)) // cannot happen: the status consists of strings and numbers
	}
	return fields
}

func merge(have, want map[string]any) map[string]any {
	patch := map[string]any{}
	for name := range have {
		if _, stays := want[name]; !stays {
			patch[name] = nil
		}
	}
	for name, value := range want {
		there, _ := have[name].(map[string]any)
		if fields, ok := value.(map[string]any); ok && there != nil {
			value = merge(there, fields)
		}
		patch[name] = value
	}
	return patch
}

func call(ctx context.Context, request *rest.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer := request.SetHeader("Accept", runtime.ContentTypeJSON).MaxRetries(0).Do(ctx)
	if err := answer.Error(); err != nil { // unlike the error of Raw, this error has the API server's message
		return nil, err
	}
	return answer.Raw()
}
