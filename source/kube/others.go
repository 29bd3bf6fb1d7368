package kube

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// others looks for another scheduler: somebody who has written the spec of a
// WorkPlacement since this process began, as the managed fields say.
type others struct {
	mu    sync.Mutex
	began time.Time
	found string
}

// manager is what this program is called in managed fields: the beginning of its
// user agent.
const manager = "kratix-schedule"

// person is how a person's tools are called there.
const person = "kubectl"

// begin forgets what was found before a time.
func (o *others) begin(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.began = now
}

// look notes who has written a WorkPlacement.
func (o *others) look(p *kratix.WorkPlacement) {
	for _, entry := range p.ManagedFields {
		if entry.Manager == manager || strings.HasPrefix(entry.Manager, person) || entry.Subresource != "" || !writesSpec(entry) {
			continue
		}
		o.mu.Lock()
		// The API keeps whole seconds: what was written in the second of the start may be older.
		if entry.Time != nil && !o.began.IsZero() && entry.Time.After(o.began) && o.found == "" {
			o.found = fmt.Sprintf("%q has written the spec of %s at %s", entry.Manager, kratix.Describe(p), entry.Time.UTC().Format(time.RFC3339))
		}
		o.mu.Unlock()
	}
}

// lookAtNew notes who has made a WorkPlacement, where Kratix writes them: a new one
// whose spec this program has not written. The managed fields of an old one say nothing
// of when its spec was written, since Kratix changes the rest of it.
func (o *others) lookAtNew(p *kratix.WorkPlacement) {
	o.mu.Lock()
	isNew := !o.began.IsZero() && p.CreationTimestamp.After(o.began)
	o.mu.Unlock()
	if !isNew || len(p.ManagedFields) == 0 {
		return
	}
	for _, entry := range p.ManagedFields {
		if entry.Manager == manager && writesSpec(entry) {
			return
		}
	}
	o.look(p)
}

func writesSpec(entry metav1.ManagedFieldsEntry) bool {
	return entry.FieldsV1 != nil && bytes.Contains(entry.FieldsV1.GetRawBytes(), []byte(`"f:spec"`))
}

// OtherScheduler returns who else has placed something since Follow was called, and
// what, in words; nothing if nobody is known to have.
func (s *Source) OtherScheduler() string {
	s.others.mu.Lock()
	defer s.others.mu.Unlock()
	return s.others.found
}
