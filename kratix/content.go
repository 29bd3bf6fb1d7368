package kratix

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
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
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: it is base64, but not gzip: %w", ErrContent, err)
	}
	plain, err := io.ReadAll(io.LimitReader(zip, bound+1))
	if err != nil {
		return nil, fmt.Errorf("%w: the gzip stream is damaged: %w", ErrContent, err)
	}
	if int64(len(plain)) > bound {
		return nil, fmt.Errorf("%w: it unpacks to more than %d MiB", ErrContent, bound>>20)
	}
	return plain, nil
}
