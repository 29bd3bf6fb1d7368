package git

import (
	"errors"
	"io"
	"os"
)

// maxInMemory is the number of bytes of objects that are kept in memory before a file is used.
const maxInMemory = 16 << 20

// newSpill returns a log in an unlinked temporary file, or nil if no file can be created.
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

// spillFile is an unlinked file. Its errors do not contain the file's former path.
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
