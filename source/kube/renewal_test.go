package kube_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func generationOf(text string, generation int) string {
	return strings.NewReplacer(
		`"generation":1`, fmt.Sprintf(`"generation":%d`, generation),
		`"promiseName":`, fmt.Sprintf(`"lastExecutionTimestamp":"2026-01-31T12:00:%02dZ","promiseName":`, generation%60),
	).Replace(text)
}

func TestRenewedObjectsRequestFewRounds(t *testing.T) {
	for name, renew := range map[string]func(a *api, generation int){
		"a Work": func(a *api, generation int) { a.put("works", generationOf(workJSON("a", ""), generation)) },
		"a WorkPlacement": func(a *api, generation int) {
			text := generationOf(placementJSON("a", "", ""), generation)
			a.put("workplacements", strings.Replace(text, `"spec":{`, fmt.Sprintf(`"spec":{"generation":%d,`, generation), 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newPlatform(t)
			s := follow(t, a)
			waitForContent(t, s, whole...)
			changes, err := s.Changes(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			asked := func(within time.Duration) (times int) {
				for late := time.After(within); ; {
					select {
					case <-changes:
						times++
					case <-late:
						return times
					}
				}
			}
			asked(200 * time.Millisecond) // waits for the rounds that are requested after the start
			began := time.Now()
			total, generation := 0, 1
			for generation < 40 {
				generation++
				renew(a, generation)
				total += asked(50 * time.Millisecond)
			}
			if most := 2 + int(time.Since(began)/time.Second); total == 0 || total > most {
				t.Errorf("%d renewals within %s ask for %d rounds, want one at least and %d at most", generation, time.Since(began), total, most)
			}
			seen := snapshot(t, s)
			if got := max(seen.Works[0].Generation, seen.Existing[0].Generation); got != int64(generation) {
				t.Errorf("a round sees generation %d, want %d", got, generation)
			}
			asked(1500 * time.Millisecond) // waits for the last requested round
			renew(a, generation+1)
			asked(100 * time.Millisecond)
			renew(a, generation+2) // requests a round only after renewalInterval
			a.put("works", strings.Replace(generationOf(workJSON("a", ""), generation+3), "a.yaml", "b.yaml", 1))
			if asked(500*time.Millisecond) == 0 {
				t.Error("a real change waits")
			}
		})
	}
}
