package kustomize

import "testing"

func TestACacheHoldsNoMoreThanItHasRoomFor(t *testing.T) {
	key := func(i int) sum { return sum{byte(i), byte(i >> 8), byte(i >> 16)} }
	var c Cache
	for i := range 3 * maxFiles {
		c.put(key(i), &cachedFile{})
		if c.known(key(0)) == nil { // it is asked for all the time
			t.Fatalf("a file in use is forgotten after %d others", i)
		}
	}
	if held := len(c.files) + len(c.older); held > 2*maxFiles || c.known(key(1)) != nil {
		t.Errorf("it holds %d files, want at most %d", held, 2*maxFiles)
	}
	if c.known(key(3*maxFiles-1)) == nil {
		t.Error("the last one is forgotten")
	}
}
