package oci

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
)

// repository is the repository of one Destination. Its methods check the digests and the sizes of
// the manifests and blobs that they read.
type repository struct {
	remote *remote.Repository
	client *client
}

// errGarbled is the error about a response with a wrong digest or size.
var errGarbled = errors.New("the registry has sent something else than what was stored")

// errForeign is the error about an artifact that this program cannot use.
var errForeign = errors.New("the artifact is not one of this program")

// isMissing reports whether the registry has no such manifest, blob or repository.
func isMissing(err error) bool { return errors.Is(err, errdef.ErrNotFound) }

// resolve returns the digest of a tag. It returns "" if the repository has no such tag.
func (r *repository) resolve(ctx context.Context, tag string) (digest.Digest, error) {
	found, err := r.remote.Manifests().Resolve(ctx, tag)
	if isMissing(err) {
		return "", nil
	}
	return found.Digest, err
}

func (r *repository) manifest(ctx context.Context, of digest.Digest) (*ocispec.Manifest, error) {
	var content []byte
	err := retryTruncated(ctx, func() error {
		described, body, err := r.remote.Manifests().FetchReference(ctx, of.String())
		if err != nil {
			return err
		}
		content, err = readExactly(body, described.Size, maxManifest, of)
		return err
	})
	if err != nil {
		return nil, err
	}
	var read ocispec.Manifest
	if err := json.Unmarshal(content, &read); err != nil {
		return nil, fmt.Errorf("%w: its manifest is not JSON", errForeign)
	}
	return &read, nil
}

// blob reads a blob. Its size must not exceed most bytes.
func (r *repository) blob(ctx context.Context, of ocispec.Descriptor, most int64) ([]byte, error) {
	var content []byte
	if err := checkSize(of.Size, most); err != nil {
		return nil, err
	}
	err := retryTruncated(ctx, func() error {
		body, err := r.remote.Blobs().Fetch(ctx, of)
		if err != nil {
			return err
		}
		content, err = readExactly(body, of.Size, most, of.Digest)
		return err
	})
	return content, err
}

// readExactly reads a body of the given size and digest, and closes it. The size must not exceed
// most.
func readExactly(body io.ReadCloser, size, most int64, want digest.Digest) ([]byte, error) {
	defer body.Close()
	if err := checkSize(size, most); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(body, size+1))
	if err != nil {
		return nil, err
	}
	if int64(len(content)) != size || digestOf(content) != want {
		return nil, errGarbled
	}
	return content, nil
}

func checkSize(size, most int64) error {
	if size < 0 || size > most {
		return fmt.Errorf("%w: a part of it has %d bytes, and at most %d are read", errForeign, size, most)
	}
	return nil
}

func digestOf(content []byte) digest.Digest {
	hash := sum(content)
	return digest.NewDigestFromBytes(digest.SHA256, hash[:])
}

func sum(content []byte) [sha256.Size]byte { return sha256.Sum256(content) }

func descriptor(mediaType string, content []byte) ocispec.Descriptor {
	return ocispec.Descriptor{MediaType: mediaType, Digest: digestOf(content), Size: int64(len(content))}
}

// pushBlob uploads a blob. If the token has expired during the upload, pushBlob begins a new
// upload.
func (r *repository) pushBlob(ctx context.Context, described ocispec.Descriptor, content []byte) error {
	err := r.upload(ctx, described, content, false)
	if isStatus(err, http.StatusUnauthorized) {
		err = r.upload(ctx, described, content, true)
	}
	return err
}

func (r *repository) upload(ctx context.Context, described ocispec.Descriptor, content []byte, again bool) error {
	return retryTruncated(ctx, func() error {
		if again {
			if there, err := r.remote.Blobs().Exists(ctx, described); there || err != nil {
				return err
			}
		}
		again = true
		return r.remote.Blobs().Push(ctx, described, bytes.NewReader(content))
	})
}

// pushManifest uploads a manifest and makes a tag refer to it.
func (r *repository) pushManifest(ctx context.Context, content []byte, tag string) error {
	return r.remote.Manifests().PushReference(ctx, descriptor(ocispec.MediaTypeImageManifest, content), bytes.NewReader(content), tag)
}

func (r *repository) tags(ctx context.Context) ([]string, error) {
	var all []string
	err := retryTruncated(ctx, func() error {
		all = nil
		return r.remote.Tags(ctx, "", func(page []string) error {
			all = append(all, page...)
			return nil
		})
	})
	if isStatus(err, http.StatusNotFound) {
		return nil, nil
	}
	return all, err
}

// remove deletes a tag, or the manifest with a digest, if it exists.
func (r *repository) remove(ctx context.Context, reference string) error {
	ctx = auth.AppendRepositoryScope(ctx, r.remote.Reference, auth.ActionPull, auth.ActionDelete)
	_, err := r.send(ctx, http.MethodDelete, r.url("manifests/"+reference))
	if isStatus(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// probe begins an upload and cancels it.
func (r *repository) probe(ctx context.Context) error {
	ctx = auth.AppendRepositoryScope(ctx, r.remote.Reference, auth.ActionPull, auth.ActionPush)
	begin := r.url("blobs/uploads/")
	location, err := r.send(ctx, http.MethodPost, begin)
	if err != nil || !isSameHost(location, begin) {
		return err // the upload expires
	}
	_, err = r.send(ctx, http.MethodDelete, location)
	return err
}

func isSameHost(a, b string) bool {
	one, err := url.Parse(a)
	other, otherErr := url.Parse(b)
	return err == nil && otherErr == nil && one.Scheme == other.Scheme && one.Host == other.Host
}

// send sends a request without a body, and returns the Location of the response, if any. It returns
// an error for an unexpected status.
func (r *repository) send(ctx context.Context, method, address string) (location string, err error) {
	request, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return "", err
	}
	response, err := r.client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
	default:
		return "", errorOf(response)
	}
	if found, err := response.Location(); err == nil {
		location = found.String()
	}
	return location, nil
}

// maxErrorBody is the maximum number of bytes of an error response that are read.
const maxErrorBody = 8 << 10

func errorOf(response *http.Response) error {
	failed := &errcode.ErrorResponse{Method: response.Request.Method, URL: response.Request.URL, StatusCode: response.StatusCode}
	var body struct {
		Errors errcode.Errors `json:"errors"`
	}
	if json.NewDecoder(io.LimitReader(response.Body, maxErrorBody)).Decode(&body) == nil {
		failed.Errors = body.Errors
	}
	return failed
}

func isStatus(err error, status int) bool {
	var failed *errcode.ErrorResponse
	return errors.As(err, &failed) && failed.StatusCode == status
}

// hasCode reports whether err is a response with one of the error codes.
func hasCode(err error, codes ...string) bool {
	var failed *errcode.ErrorResponse
	if !errors.As(err, &failed) {
		return false
	}
	for _, each := range failed.Errors {
		for _, code := range codes {
			if strings.EqualFold(each.Code, code) {
				return true
			}
		}
	}
	return false
}

// retryTruncated repeats do if a response was truncated, or if the registry has lost an upload.
func retryTruncated(ctx context.Context, do func() error) error {
	const attempts = 4
	var err error
	for attempt := range attempts {
		if err = do(); err == nil || !isTruncated(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond << attempt):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return err
}

func isTruncated(err error) bool {
	var syntax *json.SyntaxError
	return errors.Is(err, errGarbled) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.As(err, &syntax) ||
		errors.As(err, new(transport.SilenceError)) || hasCode(err, errcode.ErrorCodeBlobUploadUnknown, errcode.ErrorCodeBlobUploadInvalid, errcode.ErrorCodeDigestInvalid) ||
		isStatus(err, http.StatusRequestedRangeNotSatisfiable)
}
