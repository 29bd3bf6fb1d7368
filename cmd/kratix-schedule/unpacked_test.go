package main

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/reconcile"
)

func TestUnpackedDefaultIsHalfOfTheMemoryLimit(t *testing.T) {
	for limit, want := range map[string]int64{
		"": reconcile.DefaultMaxUnpacked, "off": reconcile.DefaultMaxUnpacked, "1GiB": 512 << 20, "1073741824": 512 << 20, "100MiB": 50 << 20, "1000B": 500,
	} {
		if got := unpackedDefault(memoryLimit(limit)); got != want {
			t.Errorf("%q: %d, want %d", limit, got, want)
		}
	}
}

func TestByteSize(t *testing.T) {
	for text, want := range map[string]byteSize{"1": 1, "512Mi": 512 << 20, "2Gi": 2 << 30, "1500": 1500} {
		var size byteSize
		if err := size.Set(text); err != nil || size != want || size.String() != text {
			t.Errorf("%s: %d, %v, %s", text, size, err, size.String())
		}
	}
	for _, text := range []string{"", "0", "-1Mi", "many", "1MB"} {
		var size byteSize
		if err := size.Set(text); err == nil {
			t.Errorf("%q: %d", text, size)
		}
	}
}
