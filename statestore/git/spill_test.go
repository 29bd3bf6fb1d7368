package git

import (
	"fmt"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

func TestBlobsBeyondTheLimitAreWrittenToAFile(t *testing.T) {
	held := newObjects()
	held.limit = 100
	for i := range 50 {
		if err := held.put(encode(plumbing.BlobObject, fmt.Appendf(nil, "content %d", i))); err != nil {
			t.Fatal(err)
		}
	}
	if held.spill == nil || held.memory.end > held.limit || held.spill.end == 0 {
		t.Fatalf("%d bytes of %d in memory", held.memory.end, held.bytes())
	}
	for i := range 50 {
		want := fmt.Sprint("content ", i)
		hash := plumbing.ComputeHash(plumbing.BlobObject, []byte(want))
		if got, err := held.content(hash); err != nil || string(got) != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
}
