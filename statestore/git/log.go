package git

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing"
)

// log stores objects one after the other, each after a number with its size and type. Bytes before
// end can be read during a write.
type log struct {
	bytes interface {
		io.ReaderAt
		io.WriterAt
	}
	end    int64
	buffer bufio.Writer // combines the writes of one object
}

// maxHeader is the maximum length in bytes of the number before an object.
const maxHeader = binary.MaxVarintLen64

// kindBits is the number of low bits that hold the type in the number before an object. The types
// are those of packs.
const kindBits = 3

// write writes an object of the given size at end, and returns the new end. To keep the object, the
// caller sets l.end.
func (l *log) write(kind plumbing.ObjectType, size int64, read func(io.Writer) error) (end int64, err error) {
	header := binary.AppendUvarint(nil, uint64(size)<<kindBits|uint64(kind)) //nolint:gosec // neither is negative
	l.buffer.Reset(io.NewOffsetWriter(l.bytes, l.end))
	l.buffer.Write(header) //nolint:errcheck // Flush returns the error
	if err := read(&l.buffer); err != nil {
		return 0, err
	}
	return l.end + int64(len(header)) + size, l.buffer.Flush()
}

func (l *log) read(hash plumbing.Hash, at int64) (plumbing.EncodedObject, error) {
	var header [maxHeader]byte
	n, err := l.bytes.ReadAt(header[:], at)
	number, length := binary.Uvarint(header[:n])
	switch {
	case length > 0:
	case err != nil:
		return nil, err
	default:
		return nil, io.ErrUnexpectedEOF
	}
	size := int64(number >> kindBits)                       //nolint:gosec // write stored no larger one
	kind := plumbing.ObjectType(number & (1<<kindBits - 1)) //nolint:gosec // three bits
	return &stored{hash, kind, io.NewSectionReader(l.bytes, at+int64(length), size)}, nil
}

// position is the offset of an object, with the lowest bit set if the object is in the file. Six
// bytes instead of eight save memory.
type position [6]byte

func positionAt(offset int64, spilled bool) (p position) {
	number := uint64(offset) << 1 //nolint:gosec // it is not negative
	if spilled {
		number |= 1
	}
	var whole [8]byte
	binary.LittleEndian.PutUint64(whole[:], number)
	return position(whole[:len(p)])
}

func (p position) split() (offset int64, spilled bool) {
	var whole [8]byte
	copy(whole[:], p[:])
	number := binary.LittleEndian.Uint64(whole[:])
	return int64(number >> 1), number&1 == 1 //nolint:gosec // positionAt made it from an int64
}

type stored struct {
	hash    plumbing.Hash
	kind    plumbing.ObjectType
	content *io.SectionReader
}

var _ plumbing.EncodedObject = (*stored)(nil)

func (s *stored) Hash() plumbing.Hash { return s.hash }

func (s *stored) Type() plumbing.ObjectType { return s.kind }

func (s *stored) SetType(plumbing.ObjectType) {}

func (s *stored) Size() int64 { return s.content.Size() }

func (s *stored) SetSize(int64) {}

func (s *stored) Reader() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(s.content, 0, s.content.Size())), nil
}

func (s *stored) Writer() (io.WriteCloser, error) {
	return nil, errors.New("a stored object cannot be written")
}
