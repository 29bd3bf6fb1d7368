//go:build linux && !race

package apart

import "syscall"

// maxMemory is the address space of a build, in bytes.
const maxMemory = 4 << 30

func limitMemory() error {
	return syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: maxMemory, Max: maxMemory})
}
