package git

import (
	"bytes"
	"io"
	"net/http"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// maxAdvertisement is the size in bytes from which a list of references is not kept.
const maxAdvertisement = 1 << 20

// advertisement is the last list of references, if the server sent an ETag with it. If the list is
// unchanged, the server can answer the next request without it.
type advertisement struct {
	mu   sync.Mutex
	etag string
	body []byte
}

// tag returns the ETag for the next request, or "" if there is none. a may be nil.
func (a *advertisement) tag() string {
	if a == nil {
		return ""
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.etag
}

// decode returns the references in a response, or the last ones if the response is 304. a may be
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
