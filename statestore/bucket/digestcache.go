package bucket

import (
	"crypto/md5" //nolint:gosec // the ETag of an object is its MD5; it guards against accidents, not attacks
	"encoding/hex"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// digestKey is the metadata key for the digest of an object's content. It is needed if the ETag is
// not the MD5 of the content.
const digestKey = "Kratix-Schedule-Md5"

func digestOf(content []byte) statestore.Digest {
	return digestFrom(md5.Sum(content)) //nolint:gosec // see the import
}

func digestFrom(md5sum [md5.Size]byte) (s statestore.Digest) {
	copy(s[:], md5sum[:])
	return s
}

// hexDigest returns the MD5 in a Digest as hexadecimal digits.
func hexDigest(s statestore.Digest) string { return hex.EncodeToString(s[:md5.Size]) }

// parseSum parses an MD5 in hexadecimal digits. It returns false for other texts.
func parseSum(s string) (sum statestore.Digest, ok bool) {
	if len(s) != hex.EncodedLen(md5.Size) {
		return sum, false
	}
	_, err := hex.Decode(sum[:md5.Size], []byte(s))
	return sum, err == nil
}

// digestCache caches the digests of objects whose ETags may not be their MD5s.
type digestCache struct {
	mu sync.Mutex
	// opaque means that an ETag that looks like an MD5 may not be the MD5 of the content.
	opaque  bool
	digests map[tree.Path]version
}

type version struct {
	etag   string
	digest statestore.Digest
}

func newDigestCache() *digestCache { return &digestCache{digests: map[tree.Path]version{}} }

func (s *digestCache) of(path tree.Path, etag string) (statestore.Digest, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.digests[path]; ok && known.etag == etag {
		return known.digest, true
	}
	if s.opaque {
		return statestore.Digest{}, false
	}
	return parseSum(etag)
}

func (s *digestCache) add(path tree.Path, etag string, sum statestore.Digest) {
	plain := hexDigest(sum) == etag
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, looksPlain := parseSum(etag); looksPlain && !plain {
		s.opaque = true
	}
	if plain && !s.opaque {
		delete(s.digests, path)
		return
	}
	s.digests[path] = version{etag, sum}
}

func (s *digestCache) etag(path tree.Path, sum statestore.Digest) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.digests[path]; ok && known.digest == sum {
		return known.etag
	}
	return hexDigest(sum)
}

func (s *digestCache) suspect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opaque = true
}

func (s *digestCache) suspected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opaque
}

// keep drops the entries of objects that are not in files, once there are many more entries than
// files.
func (s *digestCache) keep(files statestore.Files) {
	const slack = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.digests) <= files.Len()+slack {
		return
	}
	for path := range s.digests {
		if !files.Has(path) {
			delete(s.digests, path)
		}
	}
}
