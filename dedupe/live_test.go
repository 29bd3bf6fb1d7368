package dedupe

import (
	"reflect"
	"runtime"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// FuzzLive puts and removes files in any order: what is known then must be what
// an index that only ever saw the files of the end knows.
func FuzzLive(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4})
	f.Add([]byte{0x10, 0x20, 0x90, 0x11, 0x80, 0x12, 0x13, 0x90})
	f.Fuzz(func(t *testing.T, steps []byte) {
		var live Live
		files := map[tree.Path]tree.File{}
		for i, step := range steps {
			p := path("root/" + string('a'+rune(step>>4&7)) + ".yaml")
			if step&0x80 != 0 {
				live.Remove(p)
				delete(files, p)
				continue
			}
			contents := configMaps("m"+string('0'+rune(step&3)), "m"+string('0'+rune(step>>2&3)))
			if step&15 == 15 {
				contents = "no: object\n"
			}
			files[p] = tree.File{Path: p, Content: []byte(contents)}
			err := live.Put(files[p])
			if (err != nil) != (step&15 == 15) {
				t.Fatalf("step %d: %v", i, err)
			}
		}
		var fresh Live
		for _, file := range files {
			_ = fresh.Put(file) // seen above
		}
		if got, want := live.Clashes(), fresh.Clashes(); !reflect.DeepEqual(got, want) {
			t.Fatalf("after all steps it knows %v, a fresh one %v", got, want)
		}
		if live.Len() != fresh.Len() {
			t.Fatalf("it has %d objects, a fresh one %d", live.Len(), fresh.Len())
		}
	})
}

func TestAnIndexedObjectTakesLessThanOneKiB(t *testing.T) {
	const objects = 20_000
	before := heap()
	live := liveOf(objects)
	perObject := (heap() - before) / objects
	t.Logf("%d bytes an object", perObject)
	if perObject > 1024 {
		t.Errorf("%d bytes an object", perObject)
	}
	runtime.KeepAlive(live)
}

func heap() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// liveOf indexes n files of one object; the files themselves are not kept.
func liveOf(n int) *Live {
	var live Live
	for i := range n {
		if err := live.Put(oneObject(i).File); err != nil {
			panic(err)
		}
	}
	return &live
}

func BenchmarkOneFileChanged(b *testing.B) {
	live := liveOf(8_000)
	files := [2]tree.File{oneObject(4_000).File, oneObject(4_000).File}
	files[1].Content = append(files[1].Content, "  other: value\n"...)
	i := 0
	for b.Loop() {
		if err := live.Put(files[i%2]); err != nil || len(live.Clashes()) > 0 {
			b.Fatal(err)
		}
		i++
	}
}
