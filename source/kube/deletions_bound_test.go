package kube

import (
	"fmt"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

func TestDeletionsAreBounded(t *testing.T) {
	var d deletions
	key := func(i int) kratix.Key { return kratix.Key{Namespace: "default", Name: fmt.Sprintf("w%06d", i)} }
	for i := range 5 * minDeletions {
		d.note(key(i), true)
	}
	got := d.with(nil)
	if len(got) < minDeletions || len(got) > 2*minDeletions || got[len(got)-1] != key(5*minDeletions-1) {
		t.Errorf("%d are cached, the last is %v", len(got), got[len(got)-1])
	}
}
