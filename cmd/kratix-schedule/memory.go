package main

import (
	"runtime/debug"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

// memoryLimits divide what GOMEMLIMIT lets the program have, in bytes, between this
// process and the one that builds kustomizations: in a container the two are
// together under one limit. They are 0 where GOMEMLIMIT is not set.
type memoryLimits struct {
	// process is where Go collects garbage harder, and build where the kernel ends a
	// build.
	process, build int64
}

// leastBuild is what a build of a few small files takes.
const leastBuild = 192 << 20

// limitsOf divides a limit. An eighth is left for what Go does not count, and for
// what is taken before garbage is collected.
func limitsOf(limit int64) memoryLimits {
	if limit <= 0 {
		return memoryLimits{}
	}
	build := max(limit/4, leastBuild)
	return memoryLimits{process: max(limit-build-limit/8, limit/2), build: build}
}

// apply limits this process.
func (l memoryLimits) apply() {
	if l.process > 0 {
		debug.SetMemoryLimit(l.process)
	}
}

// memoryLimit returns what GOMEMLIMIT says, in bytes; 0 for no limit.
func memoryLimit(text string) int64 {
	// Go's units are Kubernetes' with a B behind.
	quantity, err := resource.ParseQuantity(strings.TrimSuffix(text, "B"))
	if err != nil || quantity.Value() <= 0 {
		return 0
	}
	return quantity.Value()
}
