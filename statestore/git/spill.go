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

// put writes the content of a blob, of that many bytes, to the file.
func (s *spill) put(size int64, read func(io.Writer) error) (*spilled, error) {
	hasher := plumbing.NewHasher(plumbing.BlobObject, size)
	if err := read(io.MultiWriter(hasher, io.NewOffsetWriter(s.file, s.size))); err != nil {
		return nil, err
	}
	moved := &spilled{hash: hasher.Sum(), size: size, at: s.size, file: s.file}
	s.size += size
	return moved, nil
}

// spilled is a blob whose content is in a file.
type spilled struct {
	hash     plumbing.Hash
	size, at int64
	file     *os.File
}

var _ plumbing.EncodedObject = (*spilled)(nil)

// Hash gives the object's id.
func (s *spilled) Hash() plumbing.Hash { return s.hash }

// Type gives the object's type.
func (s *spilled) Type() plumbing.ObjectType { return plumbing.BlobObject }

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
