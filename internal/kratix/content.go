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

// What a Work may unpack to, in bytes, so that a small one cannot fill all memory
// there is. etcd holds 1.5 MiB at most, and manifests rarely pack better than 50
// to 1.
const (
	// MaxContent bounds one workload.
	MaxContent = 32 << 20
	// MaxWork bounds all workloads of a Work.
	MaxWork = 64 << 20
)

// ErrContent is what every error of Decode wraps.
var ErrContent = errors.New("undecodable content")

// ErrTooLarge is wrapped by errors of Decode about content that others may unpack.
var ErrTooLarge = fmt.Errorf("%w", ErrContent)

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
	declared := declaredSize(packed)
	if declared <= bound && declared <= int64(len(packed))*mostPacked {
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

// mostPacked is more than how many bytes gzip packs into one.
const mostPacked = 1100

// UnpackedSize returns the size that a Workload's content says it unpacks to,
// without unpacking it. Decode refuses content that unpacks to more. It is 0 for
// what cannot be decoded.
func UnpackedSize(content string) int64 {
	const last = 8 // characters of base64, which hold the four bytes of the size
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

// isPacked reports whether content begins as all gzip does in base64, which may
// have line breaks anywhere.
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

// CountObjects returns a bound on how many Kubernetes objects a Workload's content
// holds. Of what is unpacked only a window is in memory. It is 0 for what cannot be
// decoded.
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
	// Each object has a kind, whose letters may be escaped.
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

// objectSigns are what an object has at least one of.
var objectSigns = [][]byte{[]byte("kind"), []byte(`\x`), []byte(`\u`), []byte(`\U`)} //nolint:gochecknoglobals // a table

// longestSign is the length of the longest of objectSigns.
const longestSign = 4

// declaredSize returns what the end of a gzip stream says.
func declaredSize(packed []byte) int64 {
	const size = 4
	if len(packed) < size {
		return 0
	}
	return int64(binary.LittleEndian.Uint32(packed[len(packed)-size:]))
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

// take returns what was unpacked. A large buffer is given away, not copied.
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
