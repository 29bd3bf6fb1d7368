//go:build linux && !race

package sandbox

import (
	"runtime/debug"
	"syscall"
)

// maxMemory is the default limit of a build's address space, in bytes.
const maxMemory = 4 << 30

// limitMemory limits the writable memory of this process to most bytes. If most is not positive, it
// limits the address space to maxMemory.
func limitMemory(most int64) error {
	if most <= 0 {
		return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: maxMemory, Max: maxMemory})
	}
	const part, whole = 3, 4
	debug.SetMemoryLimit(most / whole * part)
	return syscall.Setrlimit(syscall.RLIMIT_DATA, &syscall.Rlimit{Cur: uint64(most), Max: uint64(most)})
}
