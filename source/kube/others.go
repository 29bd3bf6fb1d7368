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

// others detects another scheduler: a manager other than this program that has written the spec
// of a WorkPlacement since this process started.
type others struct {
	mu    sync.Mutex
	began time.Time
	found string
}

// manager is the name of this program in managed fields, the beginning of its user agent.
const manager = "kratix-schedule"

// toolPrefix is the prefix of the field managers of interactive tools.
const toolPrefix = "kubectl"

// begin sets the time before which writes are ignored.
func (o *others) begin(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.began = now
}

// check records a foreign manager of a WorkPlacement's spec.
func (o *others) check(p *kratix.WorkPlacement) {
	for _, entry := range p.ManagedFields {
		if entry.Manager == manager || strings.HasPrefix(entry.Manager, toolPrefix) || entry.Subresource != "" || !writesSpec(entry) {
			continue
		}
		o.mu.Lock()
		// Times have a resolution of one second: a write in the second of the start may be
		// older.
		if entry.Time != nil && !o.began.IsZero() && entry.Time.After(o.began) && o.found == "" {
			o.found = fmt.Sprintf("%q has written the spec of %s at %s", entry.Manager, kratix.Describe(p), entry.Time.UTC().Format(time.RFC3339))
		}
		o.mu.Unlock()
	}
}

// checkNew does the same as check if p was created after this process started and this program has
// not written its spec. Kratix updates other fields of older WorkPlacements, so their managed
// fields do not show when the spec was written.
func (o *others) checkNew(p *kratix.WorkPlacement) {
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
	o.check(p)
}

func writesSpec(entry metav1.ManagedFieldsEntry) bool {
	return entry.FieldsV1 != nil && bytes.Contains(entry.FieldsV1.GetRawBytes(), []byte(`"f:spec"`))
}

// OtherScheduler returns a description of another scheduler's write since Follow was called, or
// "" if there was none.
func (s *Source) OtherScheduler() string {
	s.others.mu.Lock()
	defer s.others.mu.Unlock()
	return s.others.found
}
