package agent_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

var morning = time.Date(2026, 11, 30, 5, 0, 0, 0, time.UTC)

func eventWith(seconds int, outcome agent.Outcome, revision string) agent.Event {
	return agent.Event{Destination: "worker-1", Root: "resources", Revision: revision, Outcome: outcome, Time: morning.Add(time.Duration(seconds) * time.Second)}
}

func hasChanged(inbox *agent.Inbox) bool {
	select {
	case <-inbox.Changed():
		return true
	default:
		return false
	}
}

func TestInboxKeepsOnlyKnownDestinations(t *testing.T) {
	inbox := agent.NewInbox()
	if _, err := inbox.Add(eventWith(0, agent.Healthy, "a")); !errors.Is(err, agent.ErrNotReady) {
		t.Errorf("before the Destinations are known: %v", err)
	}
	inbox.Known([]string{"worker-2"})
	if _, err := inbox.Add(eventWith(0, agent.Healthy, "a")); !errors.Is(err, agent.ErrUnknownDestination) {
		t.Errorf("an unknown Destination: %v", err)
	}
	if hasChanged(inbox) || len(inbox.States()) > 0 {
		t.Error("a rejected event has an effect")
	}
	inbox.Known([]string{"worker-1", "worker-2"})
	if changed, err := inbox.Add(eventWith(0, agent.Healthy, "a")); !changed || err != nil || !hasChanged(inbox) {
		t.Errorf("an event: %t, %v", changed, err)
	}
	if changed, err := inbox.Add(eventWith(1, agent.Healthy, "a")); changed || err != nil || hasChanged(inbox) {
		t.Errorf("the same again: %t, %v", changed, err)
	}
	if changed, err := inbox.Add(eventWith(2, agent.None, "")); changed || err != nil || hasChanged(inbox) {
		t.Errorf("an event about nothing: %t, %v", changed, err)
	}
	states := inbox.States()
	if states["worker-1"]["resources"].Latest != morning.Add(time.Second) {
		t.Errorf("got %v", states)
	}
	delete(states["worker-1"], "resources")
	if len(inbox.States()["worker-1"]) != 1 {
		t.Error("the snapshot shares its maps")
	}
	inbox.Known([]string{"worker-2"})
	if len(inbox.States()) != 0 {
		t.Error("the state of a removed Destination stays")
	}
}

func TestInboxIgnoresEventsWithoutResult(t *testing.T) {
	inbox := agent.NewInbox()
	inbox.Known([]string{"worker-1"})
	for _, e := range []agent.Event{eventWith(9, agent.Progressing, "a"), eventWith(9, agent.None, ""), eventWith(9, agent.Healthy, ""), eventWith(9, agent.HealthFailed, "")} {
		if changed, err := inbox.Add(e); changed || err != nil || len(inbox.States()) > 0 {
			t.Errorf("%+v: %t, %v, %v", e, changed, err, inbox.States())
		}
	}
	// The ignored events do not make this older event a replay.
	if changed, err := inbox.Add(eventWith(1, agent.BuildFailed, "")); !changed || err != nil {
		t.Errorf("a failure of an unknown revision: %t, %v", changed, err)
	}
}

func TestInboxRestoresOlderStates(t *testing.T) {
	state := func(seconds int, revision string) agent.State {
		s, _ := agent.State{}.With(eventWith(seconds, agent.Healthy, revision))
		return s
	}
	inbox := agent.NewInbox()
	inbox.Restore(map[string]map[string]agent.State{"worker-1": {"resources": state(5, "kept")}, "gone": {"": state(5, "kept")}})
	inbox.Known([]string{"worker-1"})
	if hasChanged(inbox) {
		t.Error("restored states count as changes")
	}
	if _, err := inbox.Add(eventWith(4, agent.ApplyFailed, "replayed")); err != nil {
		t.Fatal(err)
	}
	if _, err := inbox.Add(eventWith(6, agent.Healthy, "new")); err != nil {
		t.Fatal(err)
	}
	inbox.Restore(map[string]map[string]agent.State{"worker-1": {"resources": state(5, "kept"), "dependencies": state(1, "kept")}})
	states := inbox.States()
	if got := fmt.Sprint(len(states), states["worker-1"]["resources"].Healthy.Revision, states["worker-1"]["dependencies"].Healthy.Revision); got != "1newkept" && got != "1 new kept" {
		t.Errorf("got %s: %v", got, states)
	}
}

func TestInboxIsSafeForConcurrentUse(t *testing.T) {
	inbox := agent.NewInbox()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 200 {
				switch i {
				case 0:
					inbox.Known([]string{"worker-1"})
				case 1:
					inbox.States()
				case 2:
					inbox.Restore(map[string]map[string]agent.State{"worker-1": {"resources": {Latest: morning}}})
				case 3:
					hasChanged(inbox)
				default:
					_, _ = inbox.Add(eventWith(n, agent.Healthy, strconv.Itoa(n)))
				}
			}
		})
	}
	all.Wait()
}
