//go:build linux && !race

package sandbox

import (
	"runtime/debug"
	"syscall"
)

// maxMemory is the default address space of a build, in bytes.
const maxMemory = 4 << 30

// limitMemory sets a limit at which the kernel ends this process, and a lower one at which
// Go collects garbage. The limit is on writable memory, which does not include addresses
// that Go reserves.
func limitMemory(most int64) error {
	if most <= 0 {
		return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: maxMemory, Max: maxMemory})
	}
	const part, whole = 3, 4
	debug.SetMemoryLimit(most / whole * part)
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: uint64(most), Max: uint64(most)})
}
