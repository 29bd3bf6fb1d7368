package dedupe

import (
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func TestRootThatTakesLongToBuildIsReported(t *testing.T) {
	testkit.Slow(t)
	root := largeRoot(12_000)
	v := Check(root)
	if got := summaries(v.Findings); !slices.Equal(got, []string{"KS015 /root:0"}) || !strings.Contains(v.Findings[0].Message, "12000 objects in 1.3 MiB; one build takes Flux about 31 s") {
		t.Errorf("found %v: %v", got, v.Findings)
	}
	if len(v.Quarantined) > 0 {
		t.Errorf("held %v", v.Quarantined)
	}
	root.Claims = root.Claims[:11_000]
	if v := Check(root); len(v.Findings) > 0 {
		t.Errorf("11,000 objects: found %v", summaries(v.Findings))
	}
	root = largeRoot(12_000)
	root.Claims[1].Wanted[0].Content = root.Claims[0].Wanted[0].Content
	if got := summaries(Check(root).Findings); len(got) != 2 || got[1] != "KS015 /root:0" {
		t.Errorf("beside a conflict: found %v", got)
	}
}
