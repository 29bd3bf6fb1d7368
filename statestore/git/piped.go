package git

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
)

// service is a running git-upload-pack or git-receive-pack.
type service struct {
	in  io.WriteCloser
	out io.Reader
	// words is its output outside of the protocol.
	words *transcript
	// leave ends a service that is not needed any more; kill ends the service and its
	// connection, even if it hangs. After kill, words is complete.
	leave, kill func()
}

// launcher starts a service of a repository, as a local process or over ssh.
type launcher interface {
	launch(ctx context.Context, name string) (*service, error)
}

// pipedTransport is a git transport over the pipes of a service. The library's own transport
// ignores the context while it waits, dials for each exchange, and drops most of the server's
// messages.
type pipedTransport struct{ launcher launcher }

var _ transport.Transport = pipedTransport{}

// NewUploadPackSession prepares a fetch.
func (t pipedTransport) NewUploadPackSession(*transport.Endpoint, transport.AuthMethod) (transport.UploadPackSession, error) {
	return &pipedSession{launcher: t.launcher, name: transport.UploadPackServiceName}, nil
}

// NewReceivePackSession prepares a push.
func (t pipedTransport) NewReceivePackSession(*transport.Endpoint, transport.AuthMethod) (transport.ReceivePackSession, error) {
	return &pipedSession{launcher: t.launcher, name: transport.ReceivePackServiceName}, nil
}

// pipedSession is one exchange with a service.
type pipedSession struct {
	launcher launcher
	name     string
	running  *service
	begun    bool // whether a request was sent
}

// serviceError is the failure of a service, with its output.
type serviceError struct {
	cause error
	words string
}

func (s serviceError) Error() string { return s.cause.Error() }

func (s serviceError) Unwrap() error { return s.cause }

// AdvertisedReferences starts the service.
func (s *pipedSession) AdvertisedReferences() (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(context.Background())
}

// AdvertisedReferencesContext starts the service and reads its advertisement.
func (s *pipedSession) AdvertisedReferencesContext(ctx context.Context) (*packp.AdvRefs, error) {
	running, err := s.launcher.launch(ctx, s.name)
	if err != nil {
		return nil, err
	}
	s.running = running
	defer context.AfterFunc(ctx, running.kill)()
	refs, err := decodeRefs(running.out, s.name)
	if err != nil && !errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return nil, s.failed(ctx, err)
	}
	return refs, err
}

// UploadPack sends a request and returns the response, which must be closed.
func (s *pipedSession) UploadPack(ctx context.Context, ask *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	if err := ask.Validate(); err != nil {
		return nil, err
	}
	s.begun = true
	stop := context.AfterFunc(ctx, s.running.kill)
	answer := packp.NewUploadPackResponse(ask)
	err := errors.Join(sendUpload(s.running.in, ask, withFlush), s.running.in.Close())
	if err == nil {
		err = answer.Decode(&answered{Reader: s.running.out, stop: stop})
	}
	if err != nil {
		stop()
		return nil, s.failed(ctx, err)
	}
	return answer, nil
}

// answered is the reader of a response; Close stops watching the context.
type answered struct {
	io.Reader
	stop func() bool
}

// Close stops watching the context.
func (a *answered) Close() error {
	a.stop()
	return nil
}

// ReceivePack sends a push and returns the report; nil if the request requires none.
func (s *pipedSession) ReceivePack(ctx context.Context, ask *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	s.begun = true
	defer context.AfterFunc(ctx, s.running.kill)()
	sent := errors.Join(ask.Encode(s.running.in), s.running.in.Close())
	// A server that rejects a push early reports the reason although it has not read
	// everything.
	report, err := readReport(s.running.out, ask)
	if err != nil {
		return nil, s.failed(ctx, errors.Join(sent, err))
	}
	if report == nil {
		return nil, nil
	}
	// Hooks that run after the write may still print; closing the connection would kill
	// them.
	io.Copy(io.Discard, s.running.out) //nolint:errcheck // the report is complete
	return report, report.Error()
}

// failed adds the context's error or the service's output to an error.
func (s *pipedSession) failed(ctx context.Context, err error) error {
	s.running.kill()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return serviceError{cause: err, words: s.running.words.String()}
}

// Close ends the service. If no request was sent, it sends a flush packet first.
func (s *pipedSession) Close() error {
	if s.running == nil {
		return nil
	}
	if !s.begun {
		s.running.in.Write(pktline.FlushPkt) //nolint:errcheck // the service may have ended
		s.running.in.Close()                 //nolint:errcheck // the service may have ended
	}
	s.running.leave()
	s.running = nil
	return nil
}

// transcript keeps the first bytes that are written to it.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write reports all bytes as written and keeps those that fit.
func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p[:min(len(p), max(0, maxMessage-w.text.Len()))])
	return len(p), nil
}

// String returns the bytes that were kept.
func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
