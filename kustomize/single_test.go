package kustomize

import (
	"fmt"
	"reflect"
	"testing"
)

func TestCacheAndObjectsReturnTheSame(t *testing.T) {
	var contents [][]byte
	for i := range 200 {
		content := fmt.Sprintf("%sapiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: m%d\n", []string{"", "\n\n", "data: {a: b}\n"}[i%3], i)
		switch i % 20 {
		case 7:
			content = "values: only\n"
		case 8:
			content = "\n"
		case 9:
			content += "---\n" + content
		}
		contents = append(contents, []byte(content))
	}
	var cache Cache
	cache.Load(contents)
	for i, content := range contents {
		read := cache.File(content)
		got, gotErr := read.Objects, read.Err
		want, wantErr := Objects(content)
		if !reflect.DeepEqual(got, want) || fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
			t.Errorf("file %d: %v %v, alone %v %v", i, got, gotErr, want, wantErr)
		}
	}
}

func TestSweepDropsUnusedCacheEntries(t *testing.T) {
	var cache Cache
	old, current := []byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: old\n"), []byte("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: new\n")
	cache.Load([][]byte{old, current})
	cache.Sweep()
	cache.Load([][]byte{current})
	cache.Sweep()
	if len(cache.files) != 1 {
		t.Errorf("%d files are remembered, want 1", len(cache.files))
	}
}
