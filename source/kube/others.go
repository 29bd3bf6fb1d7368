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

// others detects another scheduler: a field manager other than this program that has written the
// spec of a WorkPlacement since this process started. found describes the write.
type others struct {
	mu    sync.Mutex
	began time.Time
	found string
}

// manager is the name of this program as a field manager. It is the beginning of the program's user
// agent.
const manager = "kratix-schedule"

// toolPrefix is the prefix of the field managers of interactive tools. Their writes do not count.
const toolPrefix = "kubectl"

func (o *others) begin(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.began = now
}

func (o *others) check(p *kratix.WorkPlacement) {
	for _, entry := range p.ManagedFields {
		if entry.Manager == manager || strings.HasPrefix(entry.Manager, toolPrefix) || entry.Subresource != "" || !writesSpec(entry) {
			continue
		}
		o.mu.Lock()
		// The times have a resolution of one second, so a write in the second of the start may be
		// older than the start.
		if entry.Time != nil && !o.began.IsZero() && entry.Time.After(o.began) && o.found == "" {
			o.found = fmt.Sprintf("%q has written the spec of %s at %s", entry.Manager, kratix.Describe(p), entry.Time.UTC().Format(time.RFC3339))
		}
		o.mu.Unlock()
	}
}

// checkNew does the same as check for a WorkPlacement that was created after this process started
// and whose spec this program has not written. The managed fields of older WorkPlacements do not
// show when the spec was written, because Kratix updates other fields.
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

// OtherScheduler returns a description of another scheduler's write since Follow was called, or ""
// if there was none.
func (s *Source) OtherScheduler() string {
	s.others.mu.Lock()
	defer s.others.mu.Unlock()
	return s.others.found
}
