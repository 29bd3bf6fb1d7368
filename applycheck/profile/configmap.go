package profile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
)

// ConfigMapKind is the kind of a ConfigMap.
const ConfigMapKind = "ConfigMap"

// Label is the label of a ConfigMap that contains a profile. Its value does not matter.
const Label = "kratix-schedule.io/cluster-profile"

// Keys of a ConfigMap that may contain the profile.
const (
	// PackedKey is the key in binaryData for the profile as JSON, compressed by gzip.
	PackedKey = "profile.json.gz"
	// PlainKey is the key in data for the profile as YAML.
	PlainKey = "profile.yaml"
)

// MaxConfigMap is Kubernetes' limit for the data of a ConfigMap, in bytes.
const MaxConfigMap = 1 << 20

// Pack returns the profile in the form of a ConfigMap's PackedKey. It returns an error if the
// profile is too large for a ConfigMap.
func (p *Profile) Pack() ([]byte, error) {
	text, err := p.marshalJSON()
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err = zip.Write(text); err == nil {
		err = zip.Close()
	}
	if size := packed.Len() + len(PackedKey); err == nil && size > MaxConfigMap {
		return nil, fmt.Errorf("the profile has %.1f MiB compressed, and a ConfigMap at most 1 MiB; keep it as a file beside the Destinations", float64(size)/(1<<20))
	}
	return packed.Bytes(), err
}

// Unpack parses the profile in the data of a ConfigMap. It returns an error if the data contains no
// profile, or two.
func Unpack(data map[string]string, binaryData map[string][]byte) (*Profile, error) {
	packed, isPacked := binaryData[PackedKey]
	text, isPlain := data[PlainKey]
	switch {
	case isPacked && isPlain:
		return nil, fmt.Errorf("the ConfigMap has both binaryData[%q] and data[%q]; remove one", PackedKey, PlainKey)
	case isPlain:
		return Parse([]byte(text))
	case !isPacked:
		return nil, fmt.Errorf("the ConfigMap has the label %s and neither binaryData[%q] nor data[%q]", Label, PackedKey, PlainKey)
	}
	zip, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("binaryData[%q] is not gzip: %w", PackedKey, err)
	}
	plain, err := io.ReadAll(io.LimitReader(zip, MaxSize+1))
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return nil, fmt.Errorf("binaryData[%q] is cut off", PackedKey)
	case err != nil:
		return nil, fmt.Errorf("binaryData[%q] is damaged: %w", PackedKey, err)
	case len(plain) > MaxSize:
		return nil, tooLarge(len(plain))
	}
	return ParseJSON(plain)
}
