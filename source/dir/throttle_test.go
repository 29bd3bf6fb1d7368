package dir

import (
	"slices"
	"testing"
	"time"
)

func notifications(changes ...int) []int {
	var p throttle
	var lines []int
	var now int
	runs := -1 // the end of the timer, or -1
	fire := func(until int) {
		for runs >= 0 && runs <= until {
			now = runs
			tell, wait := p.due()
			if tell {
				lines = append(lines, now)
			}
			runs = -1
			if wait > 0 {
				runs = now + int(wait/time.Millisecond)
			}
		}
		now = until
	}
	for _, at := range changes {
		fire(at)
		if wait := p.change(); wait > 0 {
			runs = at + int(wait/time.Millisecond)
		}
	}
	fire(1 << 30)
	return lines
}

func TestThrottleCoalescesChanges(t *testing.T) {
	stream := make([]int, 3000) // three seconds, with one change per millisecond
	for i := range stream {
		stream[i] = i
	}
	tests := map[string]struct{ changes, want []int }{
		"nothing":                     {nil, nil},
		"one":                         {[]int{0}, []int{5}},
		"a burst":                     {[]int{0, 0, 1, 2, 4}, []int{5}},
		"one after another, in quiet": {[]int{0, 100, 200}, []int{5, 105, 205}},
		"one soon after another":      {[]int{0, 7}, []int{5, 15}},
		"a stream is reported neither each time nor never": {stream, []int{5, 15, 35, 75, 155, 315, 635, 1135, 1635, 2135, 2635, 3135}},
		"the first one after a stream":                     {append(slices.Clone(stream), 3700), []int{5, 15, 35, 75, 155, 315, 635, 1135, 1635, 2135, 2635, 3135, 3705}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := notifications(test.changes...); !slices.Equal(got, test.want) {
				t.Errorf("told at %v, want %v", got, test.want)
			}
		})
	}
}
