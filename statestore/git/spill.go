package git

import "os"

// maxHeld is how many bytes of objects are held in memory; more go to a file.
const maxHeld = 16 << 20

// newSpill gives a file without a name: it goes when the process does, however
// that ends. It gives nil when there is no place for a file; then all stays in
// memory.
func newSpill() *log {
	file, err := os.CreateTemp("", "kratix-schedule-*")
	if err != nil {
		return nil
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close() //nolint:errcheck // nothing was written
		return nil
	}
	return &log{bytes: file}
}
