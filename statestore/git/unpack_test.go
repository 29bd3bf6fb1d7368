package git

import (
	"bytes"
	"crypto/sha1"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func similar(t testing.TB) string {
	t.Helper()
	repository := gittest.Bare(t)
	for round := range 2 {
		files := map[string]string{}
		for i := range 40 {
			files[fmt.Sprintf("d%d/f%d", i%5, i)] = strings.Repeat(fmt.Sprintln("a line of the file", i/4), 200) + fmt.Sprint(i, round)
		}
		gittest.Commit(t, repository, "main", files)
	}
	return repository
}

func packed(t testing.TB, repository, revs string, options ...string) []byte {
	t.Helper()
	cmd := exec.Command("git", append([]string{"pack-objects", "--revs", "--stdout", "--quiet", "--window=50", "--no-reuse-delta"}, options...)...)
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stderr = repository, gittest.Env(), strings.NewReader(revs), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func holdsAll(t testing.TB, repository, list string, held *objects) {
	t.Helper()
	hashes := strings.Fields(list)
	for _, text := range hashes {
		one, err := held.get(plumbing.NewHash(text))
		if err != nil {
			t.Fatal(err)
		}
		content, err := bytesOf(one)
		if err != nil {
			t.Fatal(err)
		}
		if got := plumbing.ComputeHash(one.Type(), content); got != one.Hash() || got.String() != text {
			t.Errorf("%s is %s, which says it is %s", text, got, one.Hash())
		}
	}
	if len(hashes) < 20 {
		t.Errorf("only %d objects in %s", len(hashes), repository)
	}
}

func listed(t testing.TB, repository string, revs ...string) string {
	t.Helper()
	return gittest.Git(t, repository, append([]string{"rev-list", "--objects", "--no-object-names"}, revs...)...)
}

func TestPacksOfGitAreUnpacked(t *testing.T) {
	repository := similar(t)
	for name, options := range map[string][]string{
		"deltas by offset": {"--delta-base-offset"}, "deltas by hash": nil, "no deltas": {"--window=0"},
	} {
		for _, limit := range []int64{0, 50_000, maxInMemory} {
			into := newObjects()
			into.limit = limit
			pack := packed(t, repository, "main\n", options...)
			if err := unpack(bytes.NewReader(pack), into, nil); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			holdsAll(t, repository, listed(t, repository, "main"), into)
			if into.memory.end > limit {
				t.Errorf("%s: %d bytes in memory, limit %d", name, into.memory.end, limit)
			}
			if name != "no deltas" && len(pack) > 20_000 {
				t.Errorf("%s: %d bytes: git made no deltas", name, len(pack))
			}
		}
	}
}

func TestThinPackUsesHeldObjects(t *testing.T) {
	repository := similar(t)
	held := newObjects()
	if err := unpack(bytes.NewReader(packed(t, repository, "main~1\n")), held, nil); err != nil {
		t.Fatal(err)
	}
	thin := packed(t, repository, "main\n^main~1\n", "--thin")
	into := newObjects()
	if err := unpack(bytes.NewReader(thin), into, held); err != nil {
		t.Fatal(err)
	}
	holdsAll(t, repository, listed(t, repository, "main", "^main~1"), into)
	if err := unpack(bytes.NewReader(thin), newObjects(), nil); !isMissing(err) {
		t.Errorf("without what it builds on: %v", err)
	}
}

type entry struct {
	kind    plumbing.ObjectType
	base    plumbing.Hash
	content []byte
}

func packOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	whole, err := pack(nil)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.NewBuffer(whole[:len(whole)-sha1.Size-4])
	out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(entries))))
	for _, e := range entries {
		one := encode(plumbing.BlobObject, e.content)
		header := packHeader(one)
		header[0] = header[0]&0x8f | byte(e.kind)<<4
		out.Write(header)
		if e.kind == plumbing.REFDeltaObject {
			out.Write(e.base[:])
		}
		single, err := pack(map[plumbing.Hash]plumbing.EncodedObject{one.Hash(): one})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(single[12+len(packHeader(one)) : len(single)-sha1.Size])
	}
	sum := sha1.Sum(out.Bytes())
	out.Write(sum[:])
	return out.Bytes()
}

// chain returns three blobs, and a chain of deltas that stores them.
func chain() (blobs [][]byte, entries []entry) {
	text := bytes.Repeat([]byte("key: value\n"), 100)
	for i := range 3 {
		blobs = append(blobs, append(bytes.Clone(text), byte('0'+i)))
	}
	entries = []entry{{kind: plumbing.BlobObject, content: blobs[0]}}
	for i := 1; i < 3; i++ {
		base := plumbing.ComputeHash(plumbing.BlobObject, blobs[i-1])
		entries = append(entries, entry{kind: plumbing.REFDeltaObject, base: base, content: packfile.DiffDelta(blobs[i-1], blobs[i])})
	}
	return blobs, entries
}

func TestDeltaMayPrecedeItsBase(t *testing.T) {
	blobs, chained := chain()
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}} {
		var entries []entry
		for _, i := range order {
			entries = append(entries, chained[i])
		}
		into := newObjects()
		if err := unpack(bytes.NewReader(packOf(t, entries...)), into, nil); err != nil {
			t.Fatalf("%v: %v", order, err)
		}
		for _, want := range blobs {
			if got, err := into.content(plumbing.ComputeHash(plumbing.BlobObject, want)); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v: %d bytes, %v", order, len(got), err)
			}
		}
	}
	err := unpack(bytes.NewReader(packOf(t, chained[2], chained[1])), newObjects(), nil)
	if !isMissing(err) {
		t.Errorf("without the first: %v", err)
	}
}

func TestInvalidPackIsRejected(t *testing.T) {
	_, entries := chain()
	good := packOf(t, entries...)
	for at := range good {
		corrupted := bytes.Clone(good)
		corrupted[at] ^= 0x10
		if err := unpack(bytes.NewReader(corrupted), newObjects(), nil); err == nil {
			t.Errorf("byte %d corrupted: no error", at)
		}
		if err := unpack(bytes.NewReader(good[:at]), newObjects(), nil); err == nil && at > 0 {
			t.Errorf("only %d bytes: no error", at)
		}
	}
	short := entries[0]
	short.content = short.content[:len(short.content)-5]
	lying := packOf(t, short)
	lying[12]++ // the size in the object's header
	sum := sha1.Sum(lying[:len(lying)-sha1.Size])
	copy(lying[len(lying)-sha1.Size:], sum[:])
	if err := unpack(bytes.NewReader(lying), newObjects(), nil); !errors.Is(err, packfile.ErrMalformedPackFile) {
		t.Errorf("an object shorter than it says: %v", err)
	}
}

func FuzzUnpack(f *testing.F) {
	_, entries := chain()
	f.Add(packOf(f, entries...))
	f.Add(packOf(f, entries[2], entries[1]))
	repository := gittest.Bare(f)
	gittest.Commit(f, repository, "main", map[string]string{"a": "1", "d/b": "2"})
	f.Add(packed(f, repository, "main\n", "--delta-base-offset"))
	f.Fuzz(func(t *testing.T, pack []byte) {
		into := newObjects()
		into.limit = 1000
		if unpack(bytes.NewReader(pack), into, nil) != nil {
			return
		}
		for hash := range into.byHash {
			one, err := into.get(hash)
			if err != nil {
				t.Fatal(err)
			}
			content, err := bytesOf(one)
			if err != nil || plumbing.ComputeHash(one.Type(), content) != hash {
				t.Errorf("%s is not what its name says: %v", hash, err)
			}
		}
	})
}
