package reconcile

import (
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestPollBacksOff(t *testing.T) {
	noon := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	var w poll
	for _, test := range []struct {
		at    time.Duration
		names []string
		want  time.Duration
	}{
		{0, nil, 0},
		{time.Second, []string{"a"}, 500 * time.Millisecond},
		{1500 * time.Millisecond, []string{"a"}, 500 * time.Millisecond},
		{5 * time.Second, []string{"a"}, 2 * time.Second},
		{61 * time.Second, []string{"a"}, 30 * time.Second},
		{10 * time.Minute, []string{"a"}, time.Minute},
		{11 * time.Minute, []string{"a", "b"}, 500 * time.Millisecond}, // b is also blocked
		{12 * time.Minute, []string{"a", "b"}, 30 * time.Second},
		{13 * time.Minute, []string{"b"}, 500 * time.Millisecond},
		{14 * time.Minute, nil, 0},
		{15 * time.Minute, []string{"b"}, 500 * time.Millisecond},
	} {
		if got := w.due(noon.Add(test.at), test.names); got != test.want {
			t.Errorf("after %s, with %v waiting, the next read is due in %s, want %s", test.at, test.names, got, test.want)
		}
	}
}

func TestOutcomeIsNotReusedWhenOutgoingFilesDiffer(t *testing.T) {
	situated := func(change func(*storeView)) *situation {
		store := &storeView{orphans: []kratix.Key{{Namespace: "default", Name: "a"}}}
		store.state.Stepwise = true
		store.state.Outgoing = []statestore.Outgoing{{File: tree.File{Path: testkit.Path("d/a.yaml"), Content: []byte("a")}, Object: "WorkPlacement default/a"}}
		change(store)
		return &situation{store: store}
	}
	same := situated(func(*storeView) {})
	for name, test := range map[string]struct {
		change func(*storeView)
		want   bool
	}{
		"nothing":        {func(*storeView) {}, true},
		"another store":  {func(s *storeView) { s.state.Revision = "other" }, true},
		"written whole":  {func(s *storeView) { s.state.Stepwise = false }, false},
		"it has gone":    {func(s *storeView) { s.state.Outgoing = nil }, false},
		"one more":       {func(s *storeView) { s.state.Outgoing = append(s.state.Outgoing, s.state.Outgoing[0]) }, false},
		"another path":   {func(s *storeView) { s.state.Outgoing[0].Path = testkit.Path("d/b.yaml") }, false},
		"other content":  {func(s *storeView) { s.state.Outgoing[0].Content = []byte("b") }, false},
		"another's":      {func(s *storeView) { s.state.Outgoing[0].Object = "WorkPlacement default/b" }, false},
		"it stays":       {func(s *storeView) { s.state.Outgoing[0].Stays = true }, false},
		"an orphan more": {func(s *storeView) { s.orphans = append(s.orphans, kratix.Key{Name: "b"}) }, false},
	} {
		other := situated(test.change)
		if got := same.sameOutgoing(other); got != test.want || other.sameOutgoing(same) != got {
			t.Errorf("%s: the same is %v, want %v", name, got, test.want)
		}
	}
}
