// Package requests writes the state of resource requests into their status and into HealthRecords
// of Kratix. It does I/O: it calls the Kubernetes API.
package requests

import (
	"context"
	"crypto/sha256"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/kubeclient"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

// Field is the field in the status of a request that this package writes.
const Field = "kratixSchedule"

// Writer writes the status of requests, or their HealthRecords. It caches digests, so that it does
// not read each request in each round.
type Writer struct {
	client rest.Interface
	now    func() time.Time
	target

	mu        sync.Mutex
	resources map[string]*resource
	groups    map[groupKey]*group
	written   map[key]*memory
}

type key struct {
	promise string
	request kratix.Key
}

type memory struct {
	// digest is the digest of the content of the request and of its Works. It is zero if the
	// content is not known.
	digest [sha256.Size]byte
	delay
}

type target struct {
	// content returns the content to write for a request, or nil if there is none.
	content func(request status.Request) any
	update  func(ctx context.Context, w *Writer, t *task) (result, error)
	// what and grant are texts for findings: the name of the content, and how to grant the
	// permission to write it.
	what, grant string
}

// New returns a Writer of the status of requests to the cluster of config. now returns the current
// time.
func New(config *rest.Config, now func() time.Time) (*Writer, error) {
	return newWriter(config, now, statusTarget())
}

// NewHealthRecords returns a Writer of HealthRecords to the cluster of config. now returns the
// current time.
func NewHealthRecords(config *rest.Config, now func() time.Time) (*Writer, error) {
	return newWriter(config, now, recordTarget())
}

func newWriter(config *rest.Config, now func() time.Time, writes target) (*Writer, error) {
	client, err := kubeclient.New(config)
	if err != nil {
		return nil, err
	}
	return &Writer{client: client, now: now, target: writes, resources: map[string]*resource{}, groups: map[groupKey]*group{}, written: map[key]*memory{}}, nil
}

// Outcome is the result of a call of Write.
type Outcome struct {
	// Patched is the number of requests whose status or HealthRecord was changed.
	Patched int
	// Findings contains a finding for each Promise with requests that cannot be written.
	Findings []finding.Finding
	// Retry is the time after which Write should be called again, or 0.
	Retry time.Duration
}

// The limits of Write: the number of concurrent calls, the duration of a call, the time after which
// it starts no further request, and the number of consecutive failures that pauses a group.
const (
	atOnce      = 8
	callTimeout = 5 * time.Second
	budget      = 5 * time.Second
	maxFailures = 5
)

// Write updates the status or the HealthRecords of requests. It must not be called concurrently.
func (w *Writer) Write(ctx context.Context, wanted []status.Request) Outcome {
	pass := &pass{Writer: w, last: w.now().Add(budget)}
	w.forget(wanted)
	slots := make(chan struct{}, atOnce)
	var running sync.WaitGroup
	for _, request := range wanted {
		if !isValid(request) || w.content(request) == nil {
			continue
		}
		task, due := pass.begin(ctx, request)
		if !due {
			continue
		}
		slots <- struct{}{}
		running.Go(func() {
			defer func() { <-slots }()
			pass.do(ctx, task)
		})
	}
	running.Wait()
	return pass.end()
}

// isValid reports whether the names of a request are valid names of objects. They come from a Work
// and become parts of a path of the API.
func isValid(request status.Request) bool {
	for _, name := range []string{request.Promise, request.Key.Namespace, request.Key.Name} {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			return false
		}
	}
	return true
}

func (w *Writer) forget(wanted []status.Request) {
	there, groups, promises := make(map[key]bool, len(wanted)), map[groupKey]bool{}, map[string]bool{}
	for _, r := range wanted {
		there[key{r.Promise, r.Key}], groups[groupKey{r.Promise, r.Key.Namespace}], promises[r.Promise] = true, true, true
	}
	maps.DeleteFunc(w.written, func(k key, _ *memory) bool { return !there[k] })
	maps.DeleteFunc(w.groups, func(k groupKey, _ *group) bool { return !groups[k] })
	maps.DeleteFunc(w.resources, func(promise string, _ *resource) bool { return !promises[promise] })
}
