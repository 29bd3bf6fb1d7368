package main

import (
	"context"
	"testing"
	"time"
)

func TestTheTimeBetweenTriesIsRandomAndGrows(t *testing.T) {
	for attempt := 1; attempt <= 4; attempt++ {
		limit := 50 * time.Millisecond << attempt
		seen := map[time.Duration]bool{}
		longest := time.Duration(0)
		for range 200 {
			pause := jitter(attempt)
			if pause < 0 || pause >= limit {
				t.Fatalf("after try %d: %s, limit %s", attempt, pause, limit)
			}
			seen[pause], longest = true, max(longest, pause)
		}
		if len(seen) < 100 || longest < limit/2 {
			t.Errorf("after try %d: %d different times, the longest %s of %s", attempt, len(seen), longest, limit)
		}
	}
}

func TestAPauseEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	begun := time.Now()
	pause(ctx, 20) // attempt 20 has a pause of up to 14 hours
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}
