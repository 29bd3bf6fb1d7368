package bucket

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// maxOthers bounds the number of objects whose keys are not paths of the store. If there are more,
// artifacts cannot be computed.
const maxOthers = 1000

// fluxIgnoreFile is the object at the top of a bucket that lists the objects which Flux ignores.
const fluxIgnoreFile = ".sourceignore"

// artifacts returns a function that returns the revision of the newest listing below a directory, as
// Flux computes it for a Bucket with that directory as its prefix: the SHA-256 of the lines "KEY
// ETAG" of all objects, sorted by key. Flux leaves out keys that end in a slash.
func (s *Store) artifacts() func(dir tree.Path) string {
	seen, marker := s.seen, object{markerName, s.marker.etag}
	return func(dir tree.Path) string {
		ignores := s.prefix == "" && dir.IsRoot() && seen.files.Has(ignorePath())
		if ignores || len(seen.others) > maxOthers {
			return ""
		}
		within := ""
		if !dir.IsRoot() {
			within = dir.String() + "/"
		}
		others := slices.Clone(seen.others)
		if marker.etag != "" {
			others = append(others, marker)
		}
		slices.SortFunc(others, func(a, b object) int { return strings.Compare(a.key, b.key) })
		hash := sha256.New()
		line := func(key, etag string) {
			if strings.HasPrefix(key, within) && !strings.HasSuffix(key, "/") {
				_, _ = io.WriteString(hash, s.prefix+key+" "+etag+"\n")
			}
		}
		for _, e := range seen.within(dir) {
			key := e.path.String()
			for len(others) > 0 && others[0].key < key {
				line(others[0].key, others[0].etag)
				others = others[1:]
			}
			line(key, s.known.etag(e.path, e.digest))
		}
		for _, other := range others {
			line(other.key, other.etag)
		}
		return "sha256:" + hex.EncodeToString(hash.Sum(nil))
	}
}

// within returns the entries below a directory.
func (l *listing) within(dir tree.Path) []entry {
	if dir.IsRoot() {
		return l.entries
	}
	first, last := dir.String()+"/", dir.String()+"0" // the character after the slash
	from, _ := slices.BinarySearchFunc(l.entries, first, func(e entry, key string) int { return strings.Compare(e.path.String(), key) })
	to, _ := slices.BinarySearchFunc(l.entries, last, func(e entry, key string) int { return strings.Compare(e.path.String(), key) })
	return l.entries[from:to]
}

// ignorePath returns the path of fluxIgnoreFile.
func ignorePath() tree.Path {
	path, _ := tree.ParsePath(fluxIgnoreFile)
	return path
}
