package git

import (
	"errors"
	"io"
	"os"
)

// maxInMemory is the maximum number of bytes of objects in memory. More objects are written to a
// file.
const maxInMemory = 16 << 20

// newSpill returns a log in an unlinked temporary file, which the system frees when the process
// ends. It returns nil if no file can be created. All objects then stay in memory.
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

// spillFile is an unlinked file. Its errors are wrapped, because they name a path that no longer
// exists.
type spillFile struct{ file *os.File }

func (s spillFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := s.file.WriteAt(p, at)
	return n, spilling(err)
}

func (s spillFile) ReadAt(p []byte, at int64) (int, error) {
	n, err := s.file.ReadAt(p, at)
	return n, spilling(err)
}

type spillError struct{ cause error }

func (s spillError) Error() string {
	return "the file in the temporary directory " + os.TempDir() + ": " + s.cause.Error()
}

func (s spillError) Unwrap() error { return s.cause }

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
