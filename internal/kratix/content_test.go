package kratix_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestEncodeIsGzipWithoutATime(t *testing.T) {
	for name, content := range map[string]string{
		"empty":  "",
		"text":   "apiVersion: v1\nkind: ConfigMap\n",
		"binary": "\x00\xff\x1f\x8b",
		"long":   strings.Repeat("kind: Namespace\n", 1<<14),
	} {
		t.Run(name, func(t *testing.T) {
			var want bytes.Buffer
			zip := gzip.NewWriter(&want)
			if _, err := io.WriteString(zip, content); err != nil {
				t.Fatal(err)
			}
			if err := zip.Close(); err != nil {
				t.Fatal(err)
			}
			got := kratix.Encode([]byte(content))
			if got != base64.StdEncoding.EncodeToString(want.Bytes()) {
				t.Errorf("got %s", got)
			}
			packed, err := base64.StdEncoding.DecodeString(got)
			if err != nil {
				t.Fatal(err)
			}
			if mtime := binary.LittleEndian.Uint32(packed[4:8]); mtime != 0 {
				t.Errorf("the gzip header has the time %d", mtime)
			}
			unzip, err := gzip.NewReader(bytes.NewReader(packed))
			if err != nil {
				t.Fatal(err)
			}
			if back, err := io.ReadAll(unzip); err != nil || string(back) != content {
				t.Errorf("gzip reads %q, %v", back, err)
			}
		})
	}
}

func TestDecodeReadsOtherEncodings(t *testing.T) {
	var packed bytes.Buffer
	zip, err := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	zip.Name = "a.yaml"
	if _, err := io.WriteString(zip, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := kratix.Decode(base64.StdEncoding.EncodeToString(packed.Bytes()))
	if err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestDecodeRejects(t *testing.T) {
	whole, err := base64.StdEncoding.DecodeString(kratix.Encode([]byte(strings.Repeat("hello ", 100))))
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-5] ^= 1 // changes the checksum
	for name, test := range map[string]struct{ content, want string }{
		"text":                 {"kind: ConfigMap", "undecodable content: it is not base64: illegal base64 data at input byte 4"},
		"nothing":              {"", "undecodable content: it is base64, but not gzip: EOF"},
		"base64 of text":       {base64.StdEncoding.EncodeToString([]byte("kind: ConfigMap")), "undecodable content: it is base64, but not gzip: gzip: invalid header"},
		"a stream cut short":   {base64.StdEncoding.EncodeToString(whole[:len(whole)-9]), "undecodable content: the gzip stream is damaged: unexpected EOF"},
		"a checksum not right": {base64.StdEncoding.EncodeToString(damaged), "undecodable content: the gzip stream is damaged: gzip: invalid checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := kratix.Decode(test.content)
			if !errors.Is(err, kratix.ErrContent) || err.Error() != test.want {
				t.Errorf("got %q, %v\nwant %s", got, err, test.want)
			}
		})
	}
}

func FuzzContentRoundTrip(f *testing.F) {
	f.Add([]byte(""))
	f.Add([]byte("kind: Namespace\n"))
	f.Add([]byte{0, 0xff})
	f.Fuzz(func(t *testing.T, content []byte) {
		packed := kratix.Encode(content)
		got, err := kratix.Decode(packed)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%q comes back as %q, %v", content, got, err)
		}
		if kratix.Encode(got) != packed {
			t.Errorf("%q is packed in two ways", content)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add("")
	f.Add("H4sI")
	f.Add(kratix.Encode([]byte("kind: Namespace\n")))
	f.Add(base64.StdEncoding.EncodeToString([]byte("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\xff\xff")))
	f.Fuzz(func(t *testing.T, content string) {
		got, err := kratix.Decode(content)
		if err != nil {
			if !errors.Is(err, kratix.ErrContent) {
				t.Errorf("an error that does not wrap ErrContent: %v", err)
			}
			return
		}
		again, err := kratix.Decode(kratix.Encode(got))
		if err != nil || !bytes.Equal(again, got) {
			t.Errorf("%q comes back as %q, %v", got, again, err)
		}
	})
}
