package git

import (
	"errors"
	"io"
	"os"
)

// maxHeld is how many bytes of objects are held in memory; more go to a file.
const maxHeld = 16 << 20

// newSpill returns a file without a name: it goes when the process does, however
// that ends. It returns nil when there is no place for a file; then all stays in
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
	return &log{bytes: spillFile{file}}
}

// spillFile is the file in the temporary directory. Its errors say so, since they
// name a file that nobody can find.
type spillFile struct{ file *os.File }

// WriteAt writes to the file.
func (s spillFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := s.file.WriteAt(p, at)
	return n, spilling(err)
}

// ReadAt reads from the file.
func (s spillFile) ReadAt(p []byte, at int64) (int, error) {
	n, err := s.file.ReadAt(p, at)
	return n, spilling(err)
}

// spillError is a failure of the file in the temporary directory.
type spillError struct{ cause error }

func (s spillError) Error() string {
	return "the file in the temporary directory " + os.TempDir() + ": " + s.cause.Error()
}

func (s spillError) Unwrap() error { return s.cause }

// spilling wraps an error of the file; the end of the file is none.
func spilling(err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // readers return io.EOF itself
		return err
	}
	var path *os.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return spillError{err}
}
