package main

import "testing"

func TestMemoryLimitIsDividedBetweenTheProcessAndItsBuild(t *testing.T) {
	for text, want := range map[string]memoryLimits{
		"": {}, "off": {}, "1GiB": {process: 640 << 20, build: 256 << 20}, "4GiB": {process: 2560 << 20, build: 1 << 30}, "300MiB": {process: 150 << 20, build: 192 << 20},
	} {
		if got := limitsOf(memoryLimit(text)); got != want {
			t.Errorf("%q: %+v, want %+v", text, got, want)
		}
	}
}
