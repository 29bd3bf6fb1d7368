package bucket

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// markerName is the object whose version is the revision of the store.
const markerName = ".kratix/store-revision"

// marker is one version of the marker. The zero marker means that the bucket has no marker.
type marker struct {
	etag     string
	revision statestore.Revision
	journal  journal
}

// newMarker returns a marker. The revision is the version ID in a bucket with versions, and
// otherwise the ETag.
func newMarker(etag, version string, journal journal) marker {
	if version == "" || version == "null" {
		version = etag
	}
	return marker{etag: etag, revision: statestore.Revision(version), journal: journal}
}

type support int

const (
	untried support = iota
	conditional
	unconditional
)

const noConditions = "this provider does not honour conditional writes (If-Match): two concurrent writers are not detected, so run only one, for instance with leader election"

// recognise returns the known marker if it has this ETag. Otherwise it reads the marker.
func (s *Store) recognise(ctx context.Context, etag string) (marker, error) {
	if etag == "" || etag == s.marker.etag {
		if etag == "" {
			return marker{}, nil
		}
		return s.marker, nil
	}
	next, _, err := s.readMarker(ctx)
	return next, err
}

func (s *Store) readMarker(ctx context.Context) (next marker, content []byte, err error) {
	err = retryTruncated(ctx, func() error {
		body, info, _, err := s.client.GetObject(ctx, s.bucket, s.prefix+markerName, minio.GetObjectOptions{})
		if isMissing(err) {
			next, content = marker{}, nil
			return nil
		}
		if err != nil {
			return actionError{getting, err}
		}
		defer body.Close()
		if content, err = io.ReadAll(body); err != nil {
			return actionError{getting, err}
		}
		next = newMarker(info.ETag, info.VersionID, parseJournal(content))
		return nil
	})
	if _, looksPlain := parseSum(next.etag); err == nil && looksPlain && next.etag != hexDigest(digestOf(content)) {
		s.known.suspect()
	}
	return next, content, err
}

// swap replaces the marker by one with this journal. It returns ErrStale if it finds that another
// writer has replaced the marker.
func (s *Store) swap(ctx context.Context, journal journal) error {
	body := journal.text()
	if s.support == unconditional {
		return s.swapUnconditionally(ctx, body, journal)
	}
	next, err := s.putMarker(ctx, body, s.marker.etag)
	switch {
	case isUnsupported(err):
		s.lacking()
		return s.swapUnconditionally(ctx, body, journal)
	case isPrecondition(err), s.marker.etag != "" && isMissing(err):
		// If the response to the put was lost, the stored marker may be the new one.
		there, content, err := s.readMarker(ctx)
		if err != nil {
			return err
		}
		if !bytes.Equal(content, body) {
			return statestore.ErrStale
		}
		next = there
	case err != nil:
		return err
	}
	next.journal = journal
	s.marker = next
	return s.tryConditions(ctx, body, journal)
}

func (s *Store) swapUnconditionally(ctx context.Context, body []byte, journal journal) error {
	there, _, err := s.readMarker(ctx)
	if err != nil {
		return err
	}
	if there.etag != s.marker.etag {
		return statestore.ErrStale
	}
	next, err := s.send(ctx, s.prefix+markerName, body, minio.PutObjectOptions{ContentType: markerType})
	if err == nil {
		s.marker = newMarker(next.ETag, next.VersionID, journal)
	}
	return err
}

const markerType = "text/plain; charset=utf-8"

// putMarker replaces the marker if it has the given ETag. With an empty ETag, it creates the marker
// if there is none.
func (s *Store) putMarker(ctx context.Context, body []byte, etag string) (marker, error) {
	options := minio.PutObjectOptions{ContentType: markerType}
	if etag == "" {
		options.SetMatchETagExcept("*")
	} else {
		options.SetMatchETag(etag)
	}
	info, err := s.send(ctx, s.prefix+markerName, body, options)
	if err != nil {
		return marker{}, err
	}
	if info.ETag != hexDigest(digestOf(body)) {
		s.known.suspect()
	}
	return newMarker(info.ETag, info.VersionID, journal{}), nil
}

// tryConditions tests once whether the provider supports conditional writes, by a write of the
// marker with a false condition.
func (s *Store) tryConditions(ctx context.Context, body []byte, journal journal) error {
	const nobodys = "00000000000000000000000000000000"
	if s.support != untried {
		return nil
	}
	next, err := s.putMarker(ctx, body, nobodys)
	switch {
	case err == nil:
		next.journal = journal
		s.marker = next
		s.lacking()
	case isPrecondition(err):
		s.support = conditional
	case isUnsupported(err):
		s.lacking()
	default:
		return err
	}
	return nil
}

func (s *Store) lacking() {
	s.support = unconditional
	if s.notify != nil {
		s.notify(s.name + ": " + noConditions)
	}
}

// stillOurs returns ErrStale if another writer has replaced the marker since this store's swap.
func (s *Store) stillOurs(ctx context.Context) error {
	info, err := s.client.StatObject(ctx, s.bucket, s.prefix+markerName, minio.StatObjectOptions{})
	if err != nil && !isMissing(err) {
		return actionError{getting, err}
	}
	if err != nil || info.ETag != s.marker.etag {
		return statestore.ErrStale
	}
	return nil
}

func isPrecondition(err error) bool {
	response, ok := answer(err)
	return ok && (response.StatusCode == http.StatusPreconditionFailed || response.Code == "ConditionalRequestConflict")
}

func isUnsupported(err error) bool {
	response, ok := answer(err)
	return ok && response.StatusCode == http.StatusNotImplemented
}
