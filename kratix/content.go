package kratix

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"
)

// MaxContent bounds a workload's decoded size in bytes, so that a small Work
// cannot unpack into all memory there is. etcd holds 1.5 MiB at most, and
// manifests rarely pack better than 50 to 1.
const MaxContent = 256 << 20

// ErrContent is what every error of Decode wraps.
var ErrContent = errors.New("undecodable content")

// Encode packs a file as a Workload carries it: gzip without a time, then
// base64, so equal bytes give equal text.
func Encode(content []byte) string {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write(content) // a Buffer takes everything
	_ = zip.Close()
	return base64.StdEncoding.EncodeToString(packed.Bytes())
}

// Decode unpacks a Workload's content. Its errors wrap ErrContent.
func Decode(content string) ([]byte, error) { return decode(content, MaxContent) }

func decode(content string, bound int64) ([]byte, error) {
	packed, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return nil, fmt.Errorf("%w: it is not base64: %w", ErrContent, err)
	}
	tools, _ := unpackers.Get().(*unpacker)
	if tools == nil {
		tools = &unpacker{}
	}
	defer tools.release()
	tools.packed.Reset(packed)
	if err := tools.zip.Reset(&tools.packed); err != nil {
		return nil, fmt.Errorf("%w: it is base64, but not gzip: %w", ErrContent, err)
	}
	if _, err := tools.plain.ReadFrom(io.LimitReader(&tools.zip, bound+1)); err != nil {
		return nil, fmt.Errorf("%w: the gzip stream is damaged: %w", ErrContent, err)
	}
	if int64(tools.plain.Len()) > bound {
		return nil, fmt.Errorf("%w: it unpacks to more than %d MiB", ErrContent, bound>>20)
	}
	return append(make([]byte, 0, tools.plain.Len()), tools.plain.Bytes()...), nil
}

// unpacker is what unpacking takes. Its tables and its window are a hundred times
// the size of a small file.
type unpacker struct {
	packed bytes.Reader
	zip    gzip.Reader
	plain  bytes.Buffer
}

// unpackers are those that nobody uses now.
var unpackers sync.Pool //nolint:gochecknoglobals // nobody can tell one unpacker from another

// maxKept is the size in bytes from which a buffer is not kept for others.
const maxKept = 1 << 20

func (u *unpacker) release() {
	if u.plain.Cap() > maxKept {
		u.plain = bytes.Buffer{}
	}
	u.plain.Reset()
	u.packed.Reset(nil)
	unpackers.Put(u)
}
