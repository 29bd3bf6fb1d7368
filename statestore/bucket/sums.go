package bucket

import (
	"crypto/md5" //nolint:gosec // the ETag of an object is its MD5; it guards against accidents, not attacks
	"encoding/hex"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// sumKey is the metadata in which each object of the store carries its digest. It is needed
// where the ETag is not the MD5: with encryption by a key service.
const sumKey = "Kratix-Schedule-Md5"

// sumOf returns the MD5 of a content.
func sumOf(content []byte) statestore.Sum {
	return sumFrom(md5.Sum(content)) //nolint:gosec // see the import
}

func sumFrom(md5sum [md5.Size]byte) (s statestore.Sum) {
	copy(s[:], md5sum[:])
	return s
}

// hexSum returns the ETag of an object with this digest, if ETags are MD5s.
func hexSum(s statestore.Sum) string { return hex.EncodeToString(s[:md5.Size]) }

// parseSum parses an ETag or metadata; false if it does not look like an MD5.
func parseSum(s string) (sum statestore.Sum, ok bool) {
	if len(s) != hex.EncodedLen(md5.Size) {
		return sum, false
	}
	_, err := hex.Decode(sum[:md5.Size], []byte(s))
	return sum, err == nil
}

// sums caches the digests of objects whose ETags are not MD5s.
type sums struct {
	mu sync.Mutex
	// opaque is set once an ETag has been seen that looks like an MD5 and is not one.
	opaque bool
	behind map[tree.Path]version
}

// version is one version of an object.
type version struct {
	etag string
	sum  statestore.Sum
}

func newSums() *sums { return &sums{behind: map[tree.Path]version{}} }

// of returns the digest of an object that was listed with an ETag, if it is known.
func (s *sums) of(path tree.Path, etag string) (statestore.Sum, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.behind[path]; ok && known.etag == etag {
		return known.sum, true
	}
	if s.opaque {
		return statestore.Sum{}, false
	}
	return parseSum(etag)
}

// learn records that an object with this digest has this ETag.
func (s *sums) learn(path tree.Path, etag string, sum statestore.Sum) {
	plain := hexSum(sum) == etag
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, looksPlain := parseSum(etag); looksPlain && !plain {
		s.opaque = true
	}
	if plain && !s.opaque {
		delete(s.behind, path)
		return
	}
	s.behind[path] = version{etag, sum}
}

// etag returns the ETag of the version of an object that has this digest.
func (s *sums) etag(path tree.Path, sum statestore.Sum) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.behind[path]; ok && known.sum == sum {
		return known.etag
	}
	return hexSum(sum)
}

// suspect records that ETags of this bucket may not be MD5s.
func (s *sums) suspect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opaque = true
}

// suspected reports whether ETags that look like MD5s are no longer trusted.
func (s *sums) suspected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opaque
}

// keep removes the objects that are not among files, once there are many of them.
func (s *sums) keep(files statestore.Files) {
	const slack = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.behind) <= files.Len()+slack {
		return
	}
	for path := range s.behind {
		if !files.Has(path) {
			delete(s.behind, path)
		}
	}
}
