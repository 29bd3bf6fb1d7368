package main

import (
	"runtime/debug"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// memoryLimits are the parts of GOMEMLIMIT for this process and for a build, in bytes. They are 0
// if it is not set.
type memoryLimits struct {
	// process is Go's soft limit for this process. build is the hard limit of a build.
	process, build int64
}

const leastBuild = 192 << 20

// limitsOf divides a limit between this process and a build.
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

// memoryLimit returns the number of bytes in the text of GOMEMLIMIT, or 0 for no limit.
func memoryLimit(text string) int64 {
	// The units of GOMEMLIMIT are those of Kubernetes, followed by B: KiB, MiB.
	quantity, err := resource.ParseQuantity(strings.TrimSuffix(text, "B"))
	if err != nil || quantity.Value() <= 0 {
		return 0
	}
	return quantity.Value()
}
