package git

import (
	"errors"
	"io"
	"os"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxHeld is how many bytes of blobs are held in memory; more go to a file.
const maxHeld = 16 << 20

// spill is a file without a name: it goes when the process does, however that
// ends.
type spill struct {
	file *os.File
	size int64
}

// newSpill gives nil when there is no place for a file; then all stays in
// memory.
func newSpill() *spill {
	file, err := os.CreateTemp("", "kratix-schedule-*")
	if err != nil {
		return nil
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close() //nolint:errcheck // nothing was written
		return nil
	}
	return &spill{file: file}
}

// put moves an object's content into the file.
func (s *spill) put(one plumbing.EncodedObject) (plumbing.EncodedObject, error) {
	reader, err := one.Reader()
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	written, err := io.Copy(io.NewOffsetWriter(s.file, s.size), reader)
	if err != nil {
		return nil, err
	}
	moved := &spilled{kind: one.Type(), hash: one.Hash(), size: written, at: s.size, file: s.file}
	s.size += written
	return moved, nil
}

// spilled is an object whose content is in a file.
type spilled struct {
	kind     plumbing.ObjectType
	hash     plumbing.Hash
	size, at int64
	file     *os.File
}

var _ plumbing.EncodedObject = (*spilled)(nil)

// Hash gives the object's id.
func (s *spilled) Hash() plumbing.Hash { return s.hash }

// Type gives the object's type.
func (s *spilled) Type() plumbing.ObjectType { return s.kind }

// SetType does nothing: the object is what it is.
func (s *spilled) SetType(plumbing.ObjectType) {}

// Size gives the content's length.
func (s *spilled) Size() int64 { return s.size }

// SetSize does nothing: the object is what it is.
func (s *spilled) SetSize(int64) {}

// Reader reads the content.
func (s *spilled) Reader() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(s.file, s.at, s.size)), nil
}

// Writer fails: the object is what it is.
func (s *spilled) Writer() (io.WriteCloser, error) {
	return nil, errors.New("a stored object cannot be written")
}
