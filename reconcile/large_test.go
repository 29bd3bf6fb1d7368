package reconcile

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

func noise(t *testing.T, size int) string {
	t.Helper()
	content := make([]byte, size/4*3-size/4000-60) // base64 makes four bytes of three, and gzip adds a few
	for i := range content {
		content[i] = byte(rand.New(rand.NewPCG(uint64(i), 1)).UintN(256))
	}
	if packed := len(kratix.Encode(content)); packed > size || packed < size-500 {
		t.Fatalf("%d bytes take %d", len(content), packed)
	}
	return string(content)
}

func TestWorkNearTheLimitOfEtcdIsReported(t *testing.T) {
	w := newEnv(t)
	w.putFiles("a", map[string]string{"image.bin": noise(t, largeWork-100), "b.txt": ""})
	w.expect(w.round(), map[string]report.State{"a": report.Placed})
	w.putFiles("a", map[string]string{"image.bin": noise(t, largeWork-100), "b.txt": noise(t, 1000)})
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Placed}, "KS014")
	if f := result.Findings[0]; f.Place.Object != "Work default/a" || !strings.Contains(f.Message, "1.0 MiB") {
		t.Errorf("it says %s: %s", f.Place, f.Message)
	}
}

func TestLargeWorkIsReportedAsLongAsItExists(t *testing.T) {
	w := newEnv(t)
	big := strings.Repeat("A", largeWork+1)
	for i, step := range []struct {
		change func()
		large  int
	}{
		{func() { w.put("m", "m") }, 0},
		{func() { w.put("a", "a") }, 0},
		{func() { w.put("m", "m").Spec.WorkloadGroups[0].Workloads[0].Content = big }, 1},
		{func() {}, 1},
		{func() { w.put("b", "b") }, 1},
		{func() { w.put("z", "z").Spec.WorkloadGroups[0].Workloads[0].Content = big }, 2},
		{func() { w.remove("a") }, 2},
		{func() { slices.Reverse(w.snapshot.Works) }, 2},
		{func() { w.put("m", "m") }, 1},
		{func() { w.remove("z") }, 0},
		{func() { w.snapshot.Works = nil }, 0},
	} {
		w.snapshot.Works = slices.Clone(w.snapshot.Works)
		step.change()
		told := 0
		for _, rule := range rules(w.round()) {
			if rule == "KS014" {
				told++
			}
		}
		if told != step.large {
			t.Errorf("step %d: %d Works are told to be large, want %d", i, told, step.large)
		}
	}
}
