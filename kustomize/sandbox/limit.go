//go:build linux && !race

package sandbox

import (
	"runtime/debug"
	"syscall"
)

// maxMemory is the address space of a build that has no limit of its own, in bytes.
const maxMemory = 4 << 30

// limitMemory has the kernel end this process when it takes more than some bytes,
// and Go collect garbage before. What it may write to counts: addresses that Go
// keeps for later do not.
func limitMemory(most int64) error {
	if most <= 0 {
		return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: maxMemory, Max: maxMemory})
	}
	const part, whole = 3, 4
	debug.SetMemoryLimit(most / whole * part)
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: uint64(most), Max: uint64(most)})
}
