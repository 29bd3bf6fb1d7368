package git

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
)

// unpack stores the objects of a pack in into. Deltas may have bases in held, which may be nil. It
// uses less memory than the library's parser.
func unpack(pack io.Reader, into, held *objects) error {
	u := unpacker{scanner: packfile.NewScanner(pack), into: into, objects: held}
	_, count, err := u.scanner.Header()
	if errors.Is(err, packfile.ErrEmptyPackfile) {
		return nil
	}
	for i := uint32(0); err == nil && i < count; i++ {
		err = u.next()
	}
	if err == nil {
		_, err = u.scanner.Checksum()
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	return u.resolveLate()
}

type unpacker struct {
	scanner       *packfile.Scanner
	into, objects *objects
	// offsets are the positions of the objects in the pack. hashes are their hashes, or zero for
	// unresolved deltas.
	offsets []int64
	hashes  []plumbing.Hash
	late    []delta
}

// delta is an object that is stored as the difference from another one, its base.
type delta struct {
	index   int // index of the object in hashes
	base    plumbing.Hash
	at      int // index of the base in hashes, if the field base is zero
	content []byte
}

func (u *unpacker) next() error {
	header, err := u.scanner.NextObjectHeader()
	if err != nil {
		return err
	}
	index := len(u.hashes)
	u.offsets = append(u.offsets, header.Offset)
	u.hashes = append(u.hashes, plumbing.ZeroHash)
	if !header.Type.IsDelta() {
		u.hashes[index], err = u.into.receive(header.Type, header.Length, u.read(header.Length))
		return err
	}
	d := delta{index: index, base: header.Reference}
	if header.Type == plumbing.OFSDeltaObject {
		at, there := slices.BinarySearch(u.offsets[:index], header.OffsetReference)
		if !there {
			return packfile.ErrMalformedPackFile
		}
		d.at = at
	}
	content := &plumbing.MemoryObject{}
	if err := u.read(header.Length)(content); err != nil {
		return err
	}
	if d.content, err = bytesOf(content); err != nil {
		return err
	}
	resolved, err := u.resolve(d)
	if err == nil && !resolved {
		u.late = append(u.late, d)
	}
	return err
}

// read returns a function that writes the content of the next object, which must have the given
// size.
func (u *unpacker) read(size int64) func(io.Writer) error {
	return func(to io.Writer) error {
		n, _, err := u.scanner.NextObject(to)
		if err == nil && n != size {
			return fmt.Errorf("%w: an object of %d bytes has %d", packfile.ErrMalformedPackFile, size, n)
		}
		return err
	}
}

func (u *unpacker) resolve(d delta) (resolved bool, err error) {
	base, err := u.base(d)
	if err != nil {
		return false, nil //nolint:nilerr // the base may come later
	}
	was, err := bytesOf(base)
	if err != nil {
		return false, err
	}
	is, err := packfile.PatchDelta(was, d.content)
	if err != nil {
		return false, err
	}
	made := encode(base.Type(), is)
	u.hashes[d.index] = made.Hash()
	return true, u.into.put(made)
}

func (u *unpacker) base(d delta) (plumbing.EncodedObject, error) {
	hash := d.base
	if hash.IsZero() {
		hash = u.hashes[d.at]
	}
	found, err := u.into.get(hash)
	if err != nil && u.objects != nil {
		return u.objects.get(hash)
	}
	return found, err
}

// resolveLate resolves the deltas that came before their bases.
func (u *unpacker) resolveLate() error {
	for len(u.late) > 0 {
		var waiting []delta
		for _, d := range u.late {
			resolved, err := u.resolve(d)
			if err != nil {
				return err
			}
			if !resolved {
				waiting = append(waiting, d)
			}
		}
		if len(waiting) == len(u.late) {
			// A delta without the hash of its base depends on another delta.
			first := slices.IndexFunc(waiting, func(d delta) bool { return !d.base.IsZero() })
			return missing{waiting[max(0, first)].base}
		}
		u.late = waiting
	}
	return nil
}
