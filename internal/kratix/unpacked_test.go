package kratix_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestUnpackedSize(t *testing.T) {
	for size := range 2_000 {
		if got := kratix.UnpackedSize(kratix.Encode(bytes.Repeat([]byte("ab\n"), size))); got != int64(3*size) {
			t.Fatalf("%d bytes say %d", 3*size, got)
		}
	}
	wrapped := kratix.Encode([]byte("hello"))
	wrapped = "\n" + wrapped[:2] + "\r\n" + wrapped[2:len(wrapped)-6] + "\r\n" + wrapped[len(wrapped)-6:]
	if got := kratix.UnpackedSize(wrapped); got != 5 {
		t.Errorf("with a line break: %d", got)
	}
	for _, broken := range []string{"", "x", "====", "no base64!!", "AAAA", "AA==", "bm8gZ3ppcCBhdCBhbGw="} {
		if got := kratix.UnpackedSize(broken); got != 0 {
			t.Errorf("%q: %d", broken, got)
		}
	}
}

func TestDecodeRejectsMoreThanDeclaredSize(t *testing.T) {
	var packed bytes.Buffer
	for _, member := range []string{strings.Repeat("hidden ", 1000), "x"} {
		zip := gzip.NewWriter(&packed)
		if _, err := zip.Write([]byte(member)); err != nil {
			t.Fatal(err)
		}
		if err := zip.Close(); err != nil {
			t.Fatal(err)
		}
	}
	content := base64.StdEncoding.EncodeToString(packed.Bytes())
	if got := kratix.UnpackedSize(content); got != 1 {
		t.Fatalf("it says %d", got)
	}
	if got, err := kratix.Decode(content); !errors.Is(err, kratix.ErrContent) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

func TestCountObjectsInStream(t *testing.T) {
	const object = "apiVersion: v1\nkind: A\nmetadata: {name: x}\n---\n"
	for name, test := range map[string]struct {
		content string
		want    int64
	}{
		"none":                    {kratix.Encode([]byte("a: b\n")), 0},
		"some":                    {kratix.Encode([]byte(strings.Repeat(object, 3))), 3},
		"more than a window":      {kratix.Encode([]byte(strings.Repeat(object, 5000))), 5000},
		"an escaped field":        {kratix.Encode([]byte(`{"k\x69nd": "A"}`)), 1},
		"what cannot be unpacked": {"no base64!!", 0},
		"no gzip":                 {"AAAA", 0},
	} {
		if got := kratix.CountObjects(test.content); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}
