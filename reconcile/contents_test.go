package reconcile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/source"
)

func sizedWork(key string, sizes ...int) *kratix.Work {
	namespace, name, _ := strings.Cut(key, "/")
	work := testkit.Request(name, testkit.InNamespace(namespace))
	for i, size := range sizes {
		testkit.WithFile(fmt.Sprintf("%d.yaml", i), string(make([]byte, size)))(work)
	}
	return work
}

func snapshotOf(works ...*kratix.Work) source.Snapshot { return source.Snapshot{Works: works} }

func namesOf(works []*kratix.Work) []string {
	var names []string
	for _, work := range works {
		names = append(names, kratix.KeyOf(work).String())
	}
	return names
}

func TestWorksBeyondTheLimitAreRejected(t *testing.T) {
	const quarter = kratix.MaxContent / 4
	for name, test := range map[string]struct {
		works   []*kratix.Work
		most    int64
		kept    []string
		message string
	}{
		"within":            {[]*kratix.Work{sizedWork("a/x", 100), sizedWork("b/x", 200)}, 300, []string{"a/x", "b/x"}, ""},
		"one file too much": {[]*kratix.Work{sizedWork("a/x", 1), sizedWork("b/x", 1, kratix.MaxContent+1)}, 0, []string{"a/x"}, "its file 1.yaml unpacks to 32.0 MiB, more than the 32 MiB that a file may have"},
		"one Work too much": {
			[]*kratix.Work{sizedWork("a/x", slices.Repeat([]int{quarter}, 9)...), sizedWork("b/x", 7)}, 0,
			[]string{"b/x"}, "its files unpack to 72.0 MiB, more than the 64 MiB that a Work may have",
		},
		"all together too much": {
			[]*kratix.Work{sizedWork("a/x", 1<<20), sizedWork("a/y", 3<<20), sizedWork("b/x", 2<<20)}, 4 << 20,
			[]string{"a/x", "b/x"}, "all Works unpack to 6.0 MiB, more than the 4.0 MiB of --max-unpacked: this one, with 3.0 MiB, is among the largest of its namespace",
		},
		"many small ones of one namespace": {
			[]*kratix.Work{sizedWork("a/large", 1000), sizedWork("z/1", 600), sizedWork("z/2", 600), sizedWork("z/3", 600)}, 2000,
			[]string{"a/large", "z/1"}, "",
		},
		"a Work that is too much alone does not count": {
			[]*kratix.Work{sizedWork("a/x", 100), sizedWork("b/x", kratix.MaxContent+1)}, 100, []string{"a/x"}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var c contents
			snapshot := snapshotOf(test.works...)
			got := c.within(snapshot, test.most)
			if names := namesOf(got.Works); !slices.Equal(names, test.kept) {
				t.Errorf("got %q, want %q", names, test.kept)
			}
			if len(got.Works)+len(got.Rejected) != len(test.works) || len(got.Findings) != len(got.Rejected) {
				t.Errorf("%d Works, %d rejected, %d findings", len(got.Works), len(got.Rejected), len(got.Findings))
			}
			for _, f := range got.Findings {
				if f.Rule.ID != finding.UndecodableContent().ID || (test.message != "" && f.Message != test.message) {
					t.Errorf("got %s: %s\nwant %s", f.Rule.ID, f.Message, test.message)
				}
			}
			if len(snapshot.Works) != len(test.works) || snapshot.Rejected != nil || snapshot.Findings != nil {
				t.Error("the snapshot itself was changed")
			}
		})
	}
}

func TestObjectsCount(t *testing.T) {
	dense, plain := sizedWork("evil/x"), sizedWork("good/x", 3000)
	dense.Spec.WorkloadGroups[0].Workloads = []kratix.Workload{{Filepath: "x.yaml", Content: kratix.Encode([]byte(strings.Repeat("kind: A\n---\n", 100)))}}
	var c contents
	got := c.within(snapshotOf(dense, plain), 50<<10)
	if names := namesOf(got.Works); !slices.Equal(names, []string{"good/x"}) {
		t.Errorf("%q remain", names)
	}
	if len(got.Findings) != 1 || !strings.Contains(got.Findings[0].Message, "all Works unpack to 0.1 MiB, more than the 0.0 MiB of --max-unpacked") {
		t.Errorf("got %v", got.Findings)
	}
	if c.objects[dense] != 100 {
		t.Errorf("%d objects are counted", c.objects[dense])
	}
	if got = c.within(snapshotOf(plain), 50<<10); len(got.Works) != 1 || len(c.objects) != 1 {
		t.Errorf("%d Works, of %d the objects are remembered", len(got.Works), len(c.objects))
	}
	var roomy contents
	if got = roomy.within(snapshotOf(dense, plain), 1<<20); len(got.Works) != 2 || roomy.objects != nil {
		t.Error("objects are counted while there is room")
	}
}

func TestSizesFollowTheWorks(t *testing.T) {
	a, b, huge := sizedWork("a/a", 10), sizedWork("a/b", 20), sizedWork("a/huge", kratix.MaxContent+1)
	var c contents
	for i, step := range []struct {
		works []*kratix.Work
		total int64
		kept  int
	}{
		{[]*kratix.Work{a}, 10, 1},
		{[]*kratix.Work{a, b, huge}, 30, 2},
		{[]*kratix.Work{a, huge}, 10, 1},
		{[]*kratix.Work{a, b}, 30, 2},
		{[]*kratix.Work{a, sizedWork("a/b", 5)}, 15, 2},
		{nil, 0, 0},
	} {
		if got := c.within(snapshotOf(step.works...), 0); c.total != step.total || len(got.Works) != step.kept {
			t.Errorf("step %d: %d bytes, %d Works", i, c.total, len(got.Works))
		}
	}
	if len(c.excessive) != 0 {
		t.Errorf("%d Works that are gone are remembered", len(c.excessive))
	}
}

func TestLargeFilesOfPlacementsAreShared(t *testing.T) {
	file := func(fill byte, size int) layout.File {
		return layout.File{File: tree.File{Content: bytes.Repeat([]byte{fill}, size)}}
	}
	var c contents
	c.interned.rotate()
	first, second := []layout.File{file('a', largeContent), file('b', 10)}, []layout.File{file('a', largeContent), file('b', 10)}
	c.intern(first)
	c.intern(second)
	if &first[0].Content[0] != &second[0].Content[0] || &first[1].Content[0] == &second[1].Content[0] {
		t.Error("a large file is there twice, or a small one is shared")
	}
	c.interned.rotate()
	c.interned.rotate()
	if len(c.interned.now)+len(c.interned.before) != 0 {
		t.Error("what nobody asked for in two rounds is remembered")
	}
}
