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

// others detects another scheduler: a field manager other than this program that writes the spec of
// a WorkPlacement. found describes the write.
type others struct {
	mu    sync.Mutex
	began time.Time
	found string
}

// manager is the name of this program as a field manager.
const manager = "kratix-schedule"

// toolPrefix is the prefix of field managers that are tools, such as kubectl-edit. Their writes do
// not count.
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
		// Times have a resolution of one second, so a write at began may be older than the start.
		if entry.Time != nil && !o.began.IsZero() && entry.Time.After(o.began) && o.found == "" {
			o.found = fmt.Sprintf("%q has written the spec of %s at %s", entry.Manager, kratix.Describe(p), entry.Time.UTC().Format(time.RFC3339))
		}
		o.mu.Unlock()
	}
}

// checkNew calls check for a WorkPlacement that was created after the start and whose spec this
// program has not written.
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

// OtherScheduler returns a description of a write by another scheduler since Follow was called, or
// "" if there was none.
func (s *Source) OtherScheduler() string {
	s.others.mu.Lock()
	defer s.others.mu.Unlock()
	return s.others.found
}
