package layout

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLedgerRoundTrip(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ledger := Ledger{}.With(3, noon.Add(40*time.Second)).With(1, noon.Add(59*time.Second)).With(2, noon.Add(time.Minute))
	if got, want := string(ledger.Content()), "2026-01-01T12:00:00Z 4\n2026-01-01T12:01:00Z 2\n"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	if diff := cmp.Diff(ledger, ParseLedger(ledger.Content())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestParseLedgerSkipsInvalidLines(t *testing.T) {
	text := "nonsense\n\n2026-01-01T12:00:00Z\n2026-01-01T12:00:00Z -5\n2026-01-01T12:00:00Z 99999999999999999999\n2026-01-01T12:00:00+01:00 7\n"
	if got := ParseLedger([]byte(text)); len(got) != 1 || got.Total() != 7 {
		t.Errorf("got %v", got)
	}
	if got := ParseLedger([]byte(strings.Repeat("2026-01-01T12:00:00Z 1\n", 2*maxRemovals))); len(got) != maxRemovals {
		t.Errorf("%d lines are read", len(got))
	}
}

func TestLedgerDropsOldRemovals(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	ledger := Ledger{{noon, 1}, {noon.Add(5 * time.Minute), 10}, {noon.Add(time.Hour), 100}}
	for after, want := range map[time.Duration]int{
		0: 11, 11 * time.Minute: 11, 11*time.Minute + time.Second: 10, 17 * time.Minute: 0, 55 * time.Minute: 100, -time.Hour: 0,
	} {
		if got := ledger.Within(10*time.Minute, noon.Add(after)).Total(); got != want {
			t.Errorf("after %s it counts %d, not %d", after, got, want)
		}
	}
}

func TestZeroWindowHasNoRemovals(t *testing.T) {
	noon := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	if got := (Ledger{{noon, 1}}).Within(0, noon); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}

func FuzzParseLedger(f *testing.F) {
	f.Add([]byte("2026-01-01T12:00:00Z 4\n"))
	f.Add([]byte("2026-01-01T12:00:00Z 4\r\n9999-12-31T23:59:59-23:59 1"))
	f.Fuzz(func(t *testing.T, content []byte) {
		ledger := ParseLedger(content)
		again := ParseLedger(ledger.Content())
		if len(again) > len(ledger) || again.Total() > ledger.Total() {
			t.Errorf("%v became %v", ledger, again)
		}
	})
}
