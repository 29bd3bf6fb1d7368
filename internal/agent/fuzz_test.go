package agent_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

func checkEvent(t *testing.T, event agent.Event) {
	t.Helper()
	if len(event.Message) > agent.MaxMessage || len(event.Objects) > agent.MaxObjects || len(event.Files) > agent.MaxObjects {
		t.Errorf("it is not bounded: %d bytes, %d objects, %d files", len(event.Message), len(event.Objects), len(event.Files))
	}
	if !slices.Contains(agent.Roots(), event.Root) {
		t.Errorf("root %q", event.Root)
	}
	texts := append([]string{event.Destination, event.Revision}, event.Files...)
	for _, object := range event.Objects {
		if object.Kind == "" || object.Name == "" || strings.ContainsAny(object.Name+object.Namespace+object.Kind, "/ ") {
			t.Errorf("object %#v", object)
		}
		texts = append(texts, object.String())
	}
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || len(text) > 5000 {
			t.Errorf("text %q", text)
		}
	}
	if !utf8.ValidString(event.Message) || strings.ContainsFunc(event.Message, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		t.Errorf("message %q", event.Message)
	}
	for _, file := range event.Files {
		if strings.HasPrefix(strings.TrimPrefix(file, "/"), "../") || strings.Contains(file, "/../") || strings.HasSuffix(file, "/..") {
			t.Errorf("file %q", file)
		}
	}
	if !event.Outcome.IsFailure() && len(event.Objects)+len(event.Files) > 0 {
		t.Errorf("%s with %v %v", event.Outcome, event.Objects, event.Files)
	}
	if event.Time.IsZero() {
		t.Error("no time")
	}
}

func fuzz(f *testing.F, parse func([]byte) (agent.Event, error)) {
	f.Helper()
	f.Fuzz(func(t *testing.T, body []byte) {
		event, err := parse(body)
		if err != nil {
			if text := err.Error(); len(text) > 200 || !strings.HasPrefix(text, "not an event: ") {
				t.Errorf("error %q", text)
			}
			return
		}
		checkEvent(t, event)
		inbox := agent.NewInbox()
		inbox.Known([]string{event.Destination})
		_, _ = inbox.Add(event) // Add fails for an event without a Destination
		if again, _ := inbox.Add(event); again {
			t.Errorf("the same event again changes the State: %+v", event)
		}
	})
}

func FuzzParseFlux(f *testing.F) {
	for _, test := range fluxMessages {
		t := &testing.T{}
		f.Add(fluxBody(t, test.severity, test.reason, test.message, metadata()))
	}
	f.Add([]byte(`{"involvedObject":{"kind":"GitRepository"},"timestamp":"2026-11-30T05:00:00Z","metadata":{"destination":"a"}}`))
	fuzz(f, agent.ParseFlux)
}

func FuzzParseArgoCD(f *testing.F) {
	f.Add([]byte(`{"destination":"a","root":"resources","time":"2026-11-30T05:00:00Z","sync":{"status":"Synced","revision":"0123456789012345678901234567890123456789"},"health":{"status":"Degraded","message":"x"},"unhealthy":[{"kind":"Deployment","namespace":"n","name":"x","message":"y"}]}`))
	f.Add([]byte(`{"destination":"a","time":"2026-11-30T05:00:00Z","sync":{"status":"OutOfSync"},"operation":{"phase":"Failed","revision":"main","message":"one or more objects failed to apply","failed":[{"kind":"A","name":"b/c"}]}}`))
	f.Add([]byte(`{"destination":"a","time":"2026-11-30T05:00:00Z","sync":{"status":"Unknown"},"conditions":[{"type":"ComparisonError","message":"x"}]}`))
	fuzz(f, agent.ParseArgoCD)
}
