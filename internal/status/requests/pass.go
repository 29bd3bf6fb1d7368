package requests

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

type pass struct {
	*Writer
	last time.Time
	// patched is the number of requests that were changed. postponed means that a request was not
	// started in time.
	patched   int
	postponed bool
}

type task struct {
	status.Request
	group  *group
	memory *memory
	digest [sha256.Size]byte
}

func (p *pass) begin(ctx context.Context, request status.Request) (*task, bool) {
	digest := p.digestOf(request)
	p.mu.Lock()
	defer p.mu.Unlock()
	id := key{request.Promise, request.Key}
	known := p.written[id]
	if known == nil {
		known = &memory{}
		p.written[id] = known
	}
	of := p.groupOf(request)
	now := p.now()
	switch {
	case known.digest == digest, ctx.Err() != nil, of.waits(now), known.waits(now):
		return nil, false
	case now.After(p.last):
		p.postponed = true
		return nil, false
	}
	return &task{Request: request, group: of, memory: known, digest: digest}, true
}

// groupOf returns the group of a request. The caller must have locked the Writer.
func (w *Writer) groupOf(request status.Request) *group {
	id := groupKey{request.Promise, request.Key.Namespace}
	of := w.groups[id]
	if of == nil {
		if w.resources[id.promise] == nil {
			w.resources[id.promise] = &resource{promise: id.promise}
		}
		of = &group{resource: w.resources[id.promise]}
		w.groups[id] = of
	}
	return of
}

func (p *pass) do(ctx context.Context, t *task) {
	outcome, err := p.update(ctx, p.Writer, t)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	switch {
	case ctx.Err() != nil: // the process is stopping
	case err != nil:
		p.failed(t, err, now)
	default:
		if t.memory.digest, t.memory.delay = t.digest, (delay{}); outcome == patched {
			p.patched++
		}
		if outcome == pruned {
			t.group.fail(now, errPruned)
			return
		}
		if !t.group.waits(now) {
			t.group.failures, t.group.delay = 0, delay{}
		}
	}
}

// failed records a failure of a request, or of all requests of its group. Many consecutive failures
// count as a failure of the group. The caller must have locked the Writer.
func (p *pass) failed(t *task, err error, now time.Time) {
	if ofGroup(err) {
		t.group.fail(now, err)
		return
	}
	t.memory.fail(now, err)
	if t.group.failures++; t.group.failures >= maxFailures {
		t.group.fail(now, err)
	}
}

func (p *pass) end() Outcome {
	out := Outcome{Patched: p.patched}
	now := p.now()
	if p.postponed {
		out.Retry = time.Second
	}
	wait := func(d delay) {
		if left := d.until.Sub(now); d.waits(now) && (out.Retry == 0 || left < out.Retry) {
			out.Retry = left
		}
	}
	troubles := map[string]*trouble{}
	for _, id := range slices.SortedFunc(maps.Keys(p.groups), compareGroups) {
		of := p.groups[id]
		if of.err != nil {
			wait(of.delay)
			if troubles[id.promise] == nil {
				troubles[id.promise] = &trouble{err: of.err}
			}
		}
	}
	for id, known := range p.written {
		if known.err == nil {
			continue
		}
		wait(known.delay)
		if troubles[id.promise] == nil {
			troubles[id.promise] = &trouble{}
		}
		troubles[id.promise].add(id.request, known.err)
	}
	out.Findings = p.findings(troubles)
	return out
}

func compareGroups(a, b groupKey) int {
	return cmp.Or(cmp.Compare(a.promise, b.promise), cmp.Compare(a.namespace, b.namespace))
}

func (w *Writer) digestOf(request status.Request) [sha256.Size]byte {
	content, err := json.Marshal(struct {
		Works   []status.RequestWork
		Content any
	}{request.Works, w.content(request)})
	if err != nil {
		panic(fmt.Sprintf("what is written for a request: %v", err)) // cannot happen: the content consists of strings and numbers
	}
	return sha256.Sum256(content)
}
