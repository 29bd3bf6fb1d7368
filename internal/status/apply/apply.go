// Package apply makes the changes that package status plans, with calls of the Kubernetes API. It
// does I/O: it writes objects and creates events.
package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/kubeclient"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

// Writer writes changes to a cluster.
type Writer struct {
	client   rest.Interface
	now      func() time.Time
	instance string
	backoff  backoff
}

// New returns a Writer to the cluster of config. now returns the current time for events, and
// instance is the name of this process in events.
func New(config *rest.Config, now func() time.Time, instance string) (*Writer, error) {
	client, err := kubeclient.New(config)
	if err != nil {
		return nil, err
	}
	return &Writer{client: client, now: now, instance: instance, backoff: backoff{refused: map[target]*refusal{}}}, nil
}

// Outcome is the result of applying changes.
type Outcome struct {
	// Written are the changed objects, with their versions after the changes.
	Written []Written
	// Created are the objects that were created or may have been created.
	Created []Created
	// Calls is the number of writes that the API server accepted, by verb. The verb of events is
	// "event".
	Calls map[string]int
	// Refused are findings about writes that the API server refuses.
	Refused []finding.Finding
	// Retry is the time after which Apply should be called again, or 0.
	Retry time.Duration
	// Err is the error that pauses all writes, or that kept an event from being sent. It is nil if
	// there is none.
	Err error
}

// Written is an object after a write. A deleted object has no version.
type Written struct {
	Kind    string
	Key     kratix.Key
	Version string
}

// Created is an object that was created or may have been created.
type Created struct {
	Object kratix.Object
	// Version is the resourceVersion after the create, or "" if the outcome of the create is
	// unknown.
	Version string
}

// The limits of Apply: the number of concurrent calls, the duration of a call, and the time after
// which it starts no further change.
const (
	atOnce      = 16
	callTimeout = 15 * time.Second
	budget      = 20 * time.Second
)

// Apply makes the changes of a list concurrently, and the lists one after the other. Refused
// changes are retried in later calls. Apply must not be called concurrently.
func (w *Writer) Apply(ctx context.Context, lists [][]status.Change) Outcome {
	w.backoff.begin(lists)
	run := &run{Writer: w, last: w.now().Add(budget), outcome: Outcome{Calls: map[string]int{}}}
	for _, changes := range lists {
		slots := make(chan struct{}, atOnce)
		var running sync.WaitGroup
		for _, change := range changes {
			slots <- struct{}{}
			if !run.begins(ctx, change) {
				<-slots
				continue
			}
			running.Go(func() {
				defer func() { <-slots }()
				run.change(ctx, change)
			})
		}
		running.Wait()
	}
	return run.end()
}

type run struct {
	*Writer
	last time.Time

	mu      sync.Mutex
	outcome Outcome
	// postponed means that changes are left for a later call. lost is the number of events that
	// could not be sent.
	postponed bool
	lost      int
	// unanswered is the number of consecutive calls without an answer in time.
	unanswered int
}

func (r *run) begins(ctx context.Context, change status.Change) bool {
	now := r.now()
	if !r.backoff.allows(change, now) || ctx.Err() != nil {
		return false
	}
	if now.After(r.last) || r.backoff.pausedAt(now) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.postponed = true
		return false
	}
	return true
}

func (r *run) end() Outcome {
	now := r.now()
	r.outcome.Refused = r.backoff.findings()
	r.outcome.Retry = r.backoff.next(now)
	if r.postponed {
		if wait := max(r.backoff.pauseLeft(now), firstDelay); r.outcome.Retry == 0 || wait < r.outcome.Retry {
			r.outcome.Retry = wait
		}
	}
	if r.lost > 1 {
		r.outcome.Err = fmt.Errorf("%w (and %d more events)", r.outcome.Err, r.lost-1)
	}
	return r.outcome
}

func (r *run) answered(verb string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome.Calls[verb]++
	r.unanswered = 0
}

func (r *run) wrote(written Written) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome.Written = append(r.outcome.Written, written)
}

func (r *run) created(object kratix.Object, version string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome.Created = append(r.outcome.Created, Created{object, version})
}

func (r *run) failed(ctx context.Context, change status.Change, step int, err error) {
	if ctx.Err() != nil {
		return // the process is stopping
	}
	why := failureOf(err)
	now := r.now()
	if why.unknown && change.Steps[step].Verb == status.Create {
		r.created(change.Object, "")
	}
	if why.kind != unreachable {
		r.backoff.failed(change, step, now, why)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if why.kind != silent {
		r.unanswered = 0
	} else {
		r.unanswered++
	}
	if why.kind == overloaded || why.kind == unreachable || r.unanswered >= atOnce {
		r.backoff.pause(now, why.asked)
		r.outcome.Err = fmt.Errorf("the Kubernetes API: %s", why.message)
		r.postponed = true
	}
}

func (r *run) countUnsentEvent(object kratix.Object, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost++; r.outcome.Err == nil {
		r.outcome.Err = fmt.Errorf("event about %s: %s", kratix.Describe(object), printableLine(err.Error()))
	}
}

func (r *run) change(ctx context.Context, change status.Change) {
	object, ok := change.Object.(metav1.Object)
	if !ok {
		return
	}
	at := Written{Kind: change.Object.KindName(), Key: kratix.KeyOf(change.Object), Version: object.GetResourceVersion()}
	uid := object.GetUID()
	for i, step := range change.Steps {
		answer, err := r.step(ctx, change.Object, step, at.Version, uid)
		if err != nil {
			r.failed(ctx, change, i, err)
			return
		}
		r.answered(string(step.Verb))
		at.Version, uid = answer.ResourceVersion, answer.UID
		if step.Verb == status.Create {
			r.created(change.Object, at.Version)
		}
		if step.Verb == status.Delete || gone(object, step) {
			at.Version = ""
		}
	}
	if len(change.Steps) > 0 {
		r.backoff.accepted(change)
		r.wrote(at)
	}
	for _, event := range change.Events {
		about, of := at, uid
		if other, ok := event.About.(metav1.Object); ok {
			about, of = Written{Kind: event.About.KindName(), Key: kratix.KeyOf(event.About)}, other.GetUID()
		}
		if err := r.event(ctx, about, of, event); err != nil {
			r.countUnsentEvent(change.Object, err)
			continue
		}
		r.answered("event")
	}
}

// gone reports whether a patch removed the last finalizer of an object that was being deleted.
func gone(object metav1.Object, step status.Step) bool {
	metadata, _ := step.Patch["metadata"].(map[string]any)
	left, given := metadata["finalizers"].([]string)
	return given && len(left) == 0 && !object.GetDeletionTimestamp().IsZero()
}

// step makes one call and returns the metadata of the object after it. A patch or delete fails
// if the object has another version.
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
	// The response need not contain the contents of the object.
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

// send makes a call without retries.
func send(ctx context.Context, call *rest.Request, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	result := call.MaxRetries(0).Body(text).Do(ctx)
	if err := result.Error(); err != nil { // unlike the error of Raw, this error has the API server's message
		return nil, err
	}
	return result.Raw()
}

// at returns a patch that the API server accepts only for the given version of the object.
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

func collection(object kratix.Object) string {
	path := "/apis/" + kratix.APIVersionOf(object.KindName())
	if object.GetNamespace() != "" {
		path += "/namespaces/" + object.GetNamespace()
	}
	return path + "/" + strings.ToLower(object.KindName()) + "s"
}

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
			"apiVersion": kratix.APIVersionOf(about.Kind), "kind": about.Kind, "name": about.Key.Name, "namespace": about.Key.Namespace, "uid": uid,
		},
		"type": event.Type, "reason": event.Reason, "message": event.Message, "count": 1, "firstTimestamp": now, "lastTimestamp": now,
		"source": map[string]any{"component": component}, "reportingComponent": component, "reportingInstance": w.instance,
	}
	_, err := send(ctx, w.client.Post().AbsPath("/api/v1/namespaces", namespace, "events").SetHeader(contentType, runtime.ContentTypeJSON), body)
	return err
}

const contentType = "Content-Type"

const component = "kratix-schedule"
