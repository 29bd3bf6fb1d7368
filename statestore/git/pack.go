package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1" //nolint:gosec // the format requires it
	"encoding/binary"
	"errors"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
)

// pack returns objects as a packfile without deltas. It uses the fastest compression, because the
// default takes longer for small files.
func pack(objects map[plumbing.Hash]plumbing.EncodedObject) ([]byte, error) {
	hashes := make([]plumbing.Hash, 0, len(objects))
	for hash := range objects {
		hashes = append(hashes, hash)
	}
	slices.SortFunc(hashes, func(a, b plumbing.Hash) int { return bytes.Compare(a[:], b[:]) })

	var out bytes.Buffer
	out.WriteString("PACK")
	out.Write(binary.BigEndian.AppendUint32(nil, 2))
	out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(hashes)))) //nolint:gosec // nobody writes four billion objects
	deflate, err := zlib.NewWriterLevel(&out, zlib.BestSpeed)
	if err != nil {
		return nil, err
	}
	for _, hash := range hashes {
		out.Write(packHeader(objects[hash]))
		deflate.Reset(&out)
		if err := errors.Join(copyContent(deflate, objects[hash]), deflate.Close()); err != nil {
			return nil, err
		}
	}
	checksum := sha1.Sum(out.Bytes()) //nolint:gosec // the format requires it
	out.Write(checksum[:])
	return out.Bytes(), nil
}

// packHeader returns the type and size of an object in the encoding of packfiles.
func packHeader(one plumbing.EncodedObject) []byte {
	size := uint64(one.Size()) //nolint:gosec // a size is not negative
	header := []byte{byte(one.Type())<<4 | byte(size&0x0f)}
	for size >>= 4; size > 0; size >>= 7 {
		header[len(header)-1] |= 0x80
		header = append(header, byte(size&0x7f))
	}
	return header
}
