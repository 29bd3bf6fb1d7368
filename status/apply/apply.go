// Package apply turns changes of objects into calls of the Kubernetes API.
package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/status"
)

// Writer makes changes in a cluster.
type Writer struct {
	client rest.Interface
	now    func() time.Time
	// instance is this process, for the events' readers.
	instance string
}

// New makes a Writer to the cluster that config leads to; now is the clock for
// events, and instance names this process in them.
func New(config *rest.Config, now func() time.Time, instance string) (*Writer, error) {
	own := rest.CopyConfig(config)
	scheme := runtime.NewScheme()
	// Without the kind Status what the API server says of an error cannot be read.
	metav1.AddToGroupVersion(scheme, schema.GroupVersion{Version: "v1"})
	own.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	client, err := rest.UnversionedRESTClientFor(own)
	if err != nil {
		return nil, fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	return &Writer{client: client, now: now, instance: instance}, nil
}

// Outcome is what came of changes.
type Outcome struct {
	// Written are the objects as they are after the last write to each.
	Written []Written
	// Calls counts the writes that the API took, by verb; "event" is one too.
	Calls map[string]int
	// Stale tells that an object was another by then than the changes were made
	// for: the next round makes them anew.
	Stale bool
	// Err is what the API refused.
	Err error
}

// Written is an object as it was after a write; one that was deleted has no
// version.
type Written struct {
	Kind    string
	Key     kratix.Key
	Version string
}

// atOnce bounds the calls at one time.
const atOnce = 16

// Apply makes the changes of one list at once, and list after list. A change
// that fails keeps none of the others from being made.
func (w *Writer) Apply(ctx context.Context, lists [][]status.Change) Outcome {
	total := &tally{outcome: Outcome{Calls: map[string]int{}}}
	for _, changes := range lists {
		slots := make(chan struct{}, atOnce)
		var running sync.WaitGroup
		for _, change := range changes {
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				w.change(ctx, change, total)
			})
		}
		running.Wait()
	}
	return total.outcome
}

// tally gathers what comes of changes that are made at once.
type tally struct {
	mu      sync.Mutex
	outcome Outcome
}

func (t *tally) count(verb string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outcome.Calls[verb]++
}

func (t *tally) wrote(written Written) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.outcome.Written = append(t.outcome.Written, written)
}

// refused takes an error of the API into account; that an object is gone is none.
func (t *tally) refused(what string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case apierrors.IsNotFound(err), apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		t.outcome.Stale = true
	default:
		t.outcome.Err = errors.Join(t.outcome.Err, fmt.Errorf("%s: %w", what, err))
	}
}

// change makes the steps of one change, then tells its events.
func (w *Writer) change(ctx context.Context, change status.Change, total *tally) {
	object, ok := change.Object.(metav1.Object)
	if !ok {
		return
	}
	at := Written{Kind: change.Object.KindName(), Key: kratix.KeyOf(change.Object), Version: object.GetResourceVersion()}
	uid := object.GetUID()
	for _, step := range change.Steps {
		answer, err := w.step(ctx, change.Object, step, at.Version, uid)
		if err != nil {
			total.refused(fmt.Sprintf("%s %s", step.Verb, kratix.Describe(change.Object)), err)
			return
		}
		total.count(string(step.Verb))
		at.Version, uid = answer.ResourceVersion, answer.UID
		if step.Verb == status.Delete || gone(object, step) {
			at.Version = ""
		}
	}
	if len(change.Steps) > 0 {
		total.wrote(at)
	}
	for _, event := range change.Events {
		if err := w.event(ctx, at, uid, event); err != nil {
			total.refused("event about "+kratix.Describe(change.Object), err)
			continue
		}
		total.count("event")
	}
}

// gone tells that a patch took the last finalizer off an object that was deleted
// before.
func gone(object metav1.Object, step status.Step) bool {
	metadata, _ := step.Patch["metadata"].(map[string]any)
	left, given := metadata["finalizers"].([]string)
	return given && len(left) == 0 && !object.GetDeletionTimestamp().IsZero()
}

// step makes one call, and gives the metadata that the object has then. It fails
// when the object is at another version by now.
func (w *Writer) step(ctx context.Context, object kratix.Object, step status.Step, version string, uid types.UID) (metav1.ObjectMeta, error) {
	path := collection(object)
	var call *rest.Request
	var body any
	switch step.Verb {
	case status.Create:
		call, body = w.client.Post().AbsPath(path).SetHeader(contentType, runtime.ContentTypeJSON), object
	case status.Delete:
		call = w.client.Delete().AbsPath(path, object.GetName()).SetHeader(contentType, runtime.ContentTypeJSON)
		body = metav1.DeleteOptions{
			TypeMeta:      metav1.TypeMeta{APIVersion: "v1", Kind: "DeleteOptions"},
			Preconditions: &metav1.Preconditions{UID: &uid, ResourceVersion: &version},
		}
	case status.PatchStatus:
		call, body = w.client.Patch(types.MergePatchType).AbsPath(path, object.GetName(), "status"), at(step.Patch, version)
	default:
		call, body = w.client.Patch(types.MergePatchType).AbsPath(path, object.GetName()), at(step.Patch, version)
	}
	// The answer need not hold the contents once more.
	call.SetHeader("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
	text, err := send(ctx, call, body)
	if err != nil {
		return metav1.ObjectMeta{}, err
	}
	var answer struct {
		Metadata metav1.ObjectMeta `json:"metadata"`
	}
	return answer.Metadata, json.Unmarshal(text, &answer)
}

func send(ctx context.Context, call *rest.Request, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	result := call.Body(text).Do(ctx)
	if err := result.Error(); err != nil { // Raw's has not the API server's own words
		return nil, err
	}
	return result.Raw()
}

// at makes a patch fail on any version but one.
func at(patch map[string]any, version string) map[string]any {
	made := map[string]any{}
	for key, value := range patch {
		made[key] = value
	}
	metadata := map[string]any{"resourceVersion": version}
	if given, ok := patch["metadata"].(map[string]any); ok {
		for key, value := range given {
			metadata[key] = value
		}
	}
	made["metadata"] = metadata
	return made
}

// collection gives the path of an object's kind.
func collection(object kratix.Object) string {
	path := "/apis/" + kratix.APIVersion
	if object.GetNamespace() != "" {
		path += "/namespaces/" + object.GetNamespace()
	}
	return path + "/" + strings.ToLower(object.KindName()) + "s"
}

// event tells of something that happened to an object.
func (w *Writer) event(ctx context.Context, about Written, uid types.UID, event status.Event) error {
	namespace := about.Key.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	now := metav1.NewTime(w.now())
	body := map[string]any{
		"apiVersion": "v1", "kind": "Event",
		"metadata": map[string]any{"generateName": about.Key.Name + ".", "namespace": namespace},
		"involvedObject": map[string]any{
			"apiVersion": kratix.APIVersion, "kind": about.Kind, "name": about.Key.Name, "namespace": about.Key.Namespace, "uid": uid,
		},
		"type": event.Type, "reason": event.Reason, "message": event.Message, "count": 1, "firstTimestamp": now, "lastTimestamp": now,
		"source": map[string]any{"component": component}, "reportingComponent": component, "reportingInstance": w.instance,
	}
	_, err := send(ctx, w.client.Post().AbsPath("/api/v1/namespaces", namespace, "events").SetHeader(contentType, runtime.ContentTypeJSON), body)
	return err
}

const contentType = "Content-Type"

// component is who tells of events.
const component = "kratix-schedule"
