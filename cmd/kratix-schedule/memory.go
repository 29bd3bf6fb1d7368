package main

import (
	"runtime/debug"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// memoryLimits divide GOMEMLIMIT between this process and the child that builds kustomizations,
// because both run in one container. They are 0 if GOMEMLIMIT is not set.
type memoryLimits struct {
	// process is Go's soft limit for this process. build is the hard limit of a build.
	process, build int64
}

const leastBuild = 192 << 20

// limitsOf divides a limit. An eighth is reserved for memory that Go does not count, and for
// allocations between garbage collections, unless this process would get less than half of the
// limit.
func limitsOf(limit int64) memoryLimits {
	if limit <= 0 {
		return memoryLimits{}
	}
	build := max(limit/4, leastBuild)
	return memoryLimits{process: max(limit-build-limit/8, limit/2), build: build}
}

func (l memoryLimits) apply() {
	if l.process > 0 {
		debug.SetMemoryLimit(l.process)
	}
}

// memoryLimit parses GOMEMLIMIT, and returns the limit in bytes, or 0 for no limit.
func memoryLimit(text string) int64 {
	// The units of GOMEMLIMIT are those of Kubernetes, followed by B: KiB, MiB.
	quantity, err := resource.ParseQuantity(strings.TrimSuffix(text, "B"))
	if err != nil || quantity.Value() <= 0 {
		return 0
	}
	return quantity.Value()
}
