package kratix

import (
	"errors"
	"testing"
)

func TestDecodeLimitsUnpackedSize(t *testing.T) {
	const bound = 2 << 20
	if got, err := decode(Encode(make([]byte, bound)), bound); err != nil || len(got) != bound {
		t.Errorf("as much as the bound: got %d bytes, %v", len(got), err)
	}
	_, err := decode(Encode(make([]byte, bound+1)), bound)
	if !errors.Is(err, ErrContent) || err.Error() != "undecodable content: it unpacks to more than 2 MiB" {
		t.Errorf("one byte more than the bound: got %v", err)
	}
}
