package reconcile

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/report"
)

// noise is a file that takes so many bytes when it is packed.
func noise(t *testing.T, size int) string {
	t.Helper()
	content := make([]byte, size/4*3-size/4000-60) // base64 makes four bytes of three, gzip some more
	for i := range content {
		content[i] = byte(rand.New(rand.NewPCG(uint64(i), 1)).UintN(256))
	}
	if packed := len(kratix.Encode(content)); packed > size || packed < size-500 {
		t.Fatalf("%d bytes take %d", len(content), packed)
	}
	return string(content)
}

func TestAWorkNearTheLimitOfEtcdIsTold(t *testing.T) {
	w := newWorld(t)
	w.putFiles("a", map[string]string{"image.bin": noise(t, largeWork-100), "b.txt": ""})
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	w.putFiles("a", map[string]string{"image.bin": noise(t, largeWork-100), "b.txt": noise(t, 1000)})
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed}, "KS014")
	if f := result.Findings[0]; f.Place.Object != "Work default/a" || !strings.Contains(f.Message, "1.0 MiB") {
		t.Errorf("it says %s: %s", f.Place, f.Message)
	}
}
