package git

import (
	"bytes"
	"io"
	"net/http"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// Lists of references of maxAdvertisement bytes or more are not cached.
const maxAdvertisement = 1 << 20

// advertisement is a cached list of references with its ETag, for conditional requests.
type advertisement struct {
	mu   sync.Mutex
	etag string
	body []byte
}

// tag returns the ETag of the cached list, or "" if there is none. a may be nil.
func (a *advertisement) tag() string {
	if a == nil {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.etag
}

// decode returns the references in a response, or the cached ones if its status is 304. a may be
// nil.
func (a *advertisement) decode(answer *http.Response, service string) (*packp.AdvRefs, error) {
	if a == nil {
		return decodeRefs(answer.Body, service)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if answer.StatusCode == http.StatusNotModified {
		return decodeRefs(bytes.NewReader(a.body), service)
	}
	body := &head{limit: maxAdvertisement}
	refs, err := decodeRefs(io.TeeReader(answer.Body, body), service)
	if etag := answer.Header.Get("ETag"); err == nil && etag != "" && len(body.text) < maxAdvertisement {
		a.etag, a.body = etag, body.text
	}
	return refs, err
}
