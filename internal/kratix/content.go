package kratix

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// The limits of unpacked sizes in bytes.
const (
	// MaxContent is the limit for one workload.
	MaxContent = 32 << 20
	// MaxWork is the limit for all workloads of a Work.
	MaxWork = 64 << 20
)

// ErrContent is wrapped by all errors of Decode.
var ErrContent = errors.New("undecodable content")

// ErrTooLarge is wrapped by the error of Decode for content that exceeds MaxContent or its declared
// size.
var ErrTooLarge = fmt.Errorf("%w", ErrContent)

// Encode returns content compressed with gzip and encoded in base64, as in Workload.Content.
func Encode(content []byte) string {
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	_, _ = zip.Write(content) // a Buffer returns no error
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
	declared := declaredSize(packed)
	if declared <= bound && declared <= int64(len(packed))*maxRatio {
		tools.plain.Grow(int(declared) + bytes.MinRead)
	}
	if _, err := tools.plain.ReadFrom(io.LimitReader(&tools.zip, min(bound, declared)+1)); err != nil {
		return nil, fmt.Errorf("%w: the gzip stream is damaged: %w", ErrContent, err)
	}
	switch size := int64(tools.plain.Len()); {
	case size > bound:
		return nil, fmt.Errorf("%w: it unpacks to more than %d MiB", ErrTooLarge, bound>>20)
	case size > declared:
		return nil, fmt.Errorf("%w: the gzip stream holds more than its end says", ErrTooLarge)
	}
	return tools.take(), nil
}

// maxRatio is greater than gzip's maximum compression ratio.
const maxRatio = 1100

// UnpackedSize returns the unpacked size in bytes that a Workload's content declares. It returns 0
// if it finds no size.
func UnpackedSize(content string) int64 {
	const last = 8 // the number of base64 characters that contain the four bytes of the size
	if !isPacked(content) {
		return 0
	}
	if tail := content[max(0, len(content)-last):]; !strings.ContainsAny(tail, "\r\n") {
		content = tail
	}
	packed, err := base64.StdEncoding.DecodeString(content)
	if err != nil {
		return 0
	}
	return declaredSize(packed)
}

// isPacked reports whether content begins like gzip data in base64. It ignores line breaks.
func isPacked(content string) bool {
	for _, want := range []byte("H4sI") {
		content = strings.TrimLeft(content, "\r\n")
		if content == "" || content[0] != want {
			return false
		}
		content = content[1:]
	}
	return true
}

// CountObjects returns an upper bound on the number of Kubernetes objects in a Workload's content.
func CountObjects(content string) (objects int64) {
	packed := base64.NewDecoder(base64.StdEncoding, strings.NewReader(content))
	tools, _ := unpackers.Get().(*unpacker)
	if tools == nil {
		tools = &unpacker{}
	}
	defer tools.release()
	if tools.zip.Reset(packed) != nil {
		return 0
	}
	// Each object has the key "kind", possibly with escaped letters.
	window, kept := make([]byte, 32<<10), 0
	for stream := io.LimitReader(&tools.zip, MaxContent+1); ; {
		n, err := stream.Read(window[kept:])
		text := window[:kept+n]
		for _, sign := range objectSigns {
			objects += int64(bytes.Count(text, sign) - bytes.Count(text[:kept], sign))
		}
		if err != nil {
			return objects
		}
		kept = copy(window, text[max(0, len(text)-longestSign+1):])
	}
}

// objectSigns are byte sequences. Each object contains at least one of them.
var objectSigns = [][]byte{[]byte("kind"), []byte(`\x`), []byte(`\u`), []byte(`\U`)} //nolint:gochecknoglobals // a table

const longestSign = 4

func declaredSize(packed []byte) int64 {
	const size = 4
	if len(packed) < size {
		return 0
	}
	return int64(binary.LittleEndian.Uint32(packed[len(packed)-size:]))
}

// unpacker is a set of reusable buffers for unpacking.
type unpacker struct {
	packed bytes.Reader
	zip    gzip.Reader
	plain  bytes.Buffer
}

var unpackers sync.Pool //nolint:gochecknoglobals // unpackers are interchangeable

// maxKept is the maximum size in bytes of a buffer that is reused.
const maxKept = 1 << 20

// take returns the unpacked content. The caller owns the returned slice.
func (u *unpacker) take() []byte {
	if u.plain.Cap() > maxKept {
		content := slices.Clip(u.plain.Bytes())
		u.plain = bytes.Buffer{}
		return content
	}
	return append(make([]byte, 0, u.plain.Len()), u.plain.Bytes()...)
}

func (u *unpacker) release() {
	if u.plain.Cap() > maxKept {
		u.plain = bytes.Buffer{}
	}
	u.plain.Reset()
	u.packed.Reset(nil)
	unpackers.Put(u)
}
