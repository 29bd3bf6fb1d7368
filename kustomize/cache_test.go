package kustomize

import "testing"

func TestCacheSizeIsBounded(t *testing.T) {
	key := func(i int) digest { return digest{byte(i), byte(i >> 8), byte(i >> 16)} }
	var c Cache
	for i := range 3 * maxFiles {
		c.put(key(i), &cachedFile{})
		if c.known(key(0)) == nil { // each step uses the entry of key 0
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

func TestPlainFileIsReadWithoutABuild(t *testing.T) {
	content := []byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n")
	read := testing.AllocsPerRun(10, func() {
		if _, err := Objects(content); err != nil {
			t.Fatal(err)
		}
	})
	cached := testing.AllocsPerRun(10, func() {
		var cache Cache
		cache.File(content)
	})
	if cached-read > 100 {
		t.Errorf("a Cache takes %.0f allocations for a file that takes %.0f", cached, read)
	}
}
