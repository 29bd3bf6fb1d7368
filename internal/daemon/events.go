package daemon

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
	"github.com/kratix-schedule/kratix-schedule/internal/agent/receive"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// eventPause is the minimum time between two rounds that events trigger.
const eventPause = 2 * time.Second

func (d *Daemon) registerEvents(mux *http.ServeMux) {
	handler := &receive.Handler{Inbox: d.Inbox, Secret: d.EventsSecret, Now: d.Now, Log: d.Log, Counts: d.metrics}
	if d.Inbox == nil {
		handler.Secret = nil
	}
	handler.Register(mux)
}

// wakeByEvents requests a round after events have changed a state. It returns when ctx ends, or at
// once without an Inbox.
func (d *Daemon) wakeByEvents(ctx context.Context) {
	if d.Inbox != nil {
		wakeBy(ctx, d.Inbox.Changed(), d.wake)
	}
}

// wakeBy calls wake after values from changed, at most once in eventPause. It returns when ctx
// ends.
func wakeBy(ctx context.Context, changed <-chan struct{}, wake func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			wake()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(eventPause):
		}
	}
}

// Reported wraps a source for a round without a Daemon. The returned function returns the states in
// the annotations of Destinations.
func Reported(from source.Source) (source.Source, func() reconcile.AgentStates) {
	inbox := agent.NewInbox()
	return &inboxSource{Source: from, inbox: inbox}, func() reconcile.AgentStates { return inbox.States() }
}

// inboxSource is a source that passes the Destinations of each snapshot to an Inbox.
type inboxSource struct {
	source.Source
	inbox *agent.Inbox
	names []string
	// now returns the time if the process is one of several shards. Otherwise now is nil, and
	// annotations are restored only once.
	now func() time.Time
	// restored are the annotations of the last snapshot by Destination.
	restored map[string]restoredStates
}

// restoredStates is the value of an annotation, and the error if it is invalid.
type restoredStates struct {
	text string
	err  error
}

// Snapshot reads the input. If the input is incomplete, the Inbox keeps earlier names.
func (s *inboxSource) Snapshot(ctx context.Context) (source.Snapshot, error) {
	snapshot, err := s.Source.Snapshot(ctx)
	if err != nil {
		return snapshot, err
	}
	var names []string
	before := s.restored
	s.restored = make(map[string]restoredStates, len(before))
	for _, d := range slices.Concat(snapshot.Destinations, snapshot.Unwritten) {
		names = append(names, d.Name)
		if err := s.restore(d, before); err != nil {
			at := snapshot.Origins.Of(d)
			at.Object = kratix.Describe(d)
			snapshot.Findings = append(slices.Clip(snapshot.Findings), finding.Finding{Rule: finding.InvalidAnnotation(), Place: at, Message: err.Error()})
		}
	}
	if snapshot.Incomplete {
		names = append(names, s.names...)
	}
	slices.Sort(names)
	s.names = slices.Compact(names)
	s.inbox.Known(s.names)
	return snapshot, nil
}

// restore adds the states in a changed annotation to the Inbox, and returns an error if the
// annotation is invalid. Other shards change it when they have received events.
func (s *inboxSource) restore(d *kratix.Destination, before map[string]restoredStates) error {
	text, kept := d.Annotations[kratix.ReportedAnnotation]
	if !kept {
		return nil
	}
	last, known := before[d.Name]
	if !known || last.text != text {
		states, err := agent.ParseStates(text)
		last = restoredStates{text, err}
		if !known || s.now != nil && !agent.AreAhead(states, s.now()) {
			s.inbox.Restore(map[string]map[string]agent.State{d.Name: states})
		}
	}
	s.restored[d.Name] = last
	return last.err
}

func (s *inboxSource) ReadAll() {
	if all, ok := s.Source.(interface{ ReadAll() }); ok {
		all.ReadAll()
	}
}
