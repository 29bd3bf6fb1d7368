package git

import (
	"errors"
	"io"
	"os"
)

// maxInMemory is the maximum number of bytes of objects in memory; further objects are written
// to a file.
const maxInMemory = 16 << 20

// newSpill returns a log in a file without a name, which the system frees when the process ends,
// even after a crash. It returns nil if no file can be created; all objects then stay in memory.
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

// spillFile is the file in the temporary directory. It wraps errors, since they name a file
// that no longer has a name.
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

// spillError is an error of the file in the temporary directory.
type spillError struct{ cause error }

func (s spillError) Error() string {
	return "the file in the temporary directory " + os.TempDir() + ": " + s.cause.Error()
}

func (s spillError) Unwrap() error { return s.cause }

// spilling wraps an error of the file, except io.EOF.
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
