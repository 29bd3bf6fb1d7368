package bucket

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// If a bucket has more than maxOthers objects with invalid paths, artifacts are not computed.
const maxOthers = 1000

// fluxIgnoreFile is the name of an object that lists objects for Flux to ignore.
const fluxIgnoreFile = ".sourceignore"

// artifacts returns a function for State.Artifact. Flux computes the revision of a directory as the
// SHA-256 of the lines "KEY ETAG" of its objects, sorted by key.
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

func (l *listing) within(dir tree.Path) []entry {
	if dir.IsRoot() {
		return l.entries
	}
	first, last := dir.String()+"/", dir.String()+"0" // "0" follows "/" in ASCII
	from, _ := slices.BinarySearchFunc(l.entries, first, func(e entry, key string) int { return strings.Compare(e.path.String(), key) })
	to, _ := slices.BinarySearchFunc(l.entries, last, func(e entry, key string) int { return strings.Compare(e.path.String(), key) })
	return l.entries[from:to]
}

func ignorePath() tree.Path {
	path, _ := tree.ParsePath(fluxIgnoreFile)
	return path
}
