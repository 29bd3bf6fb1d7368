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

type service struct {
	in  io.WriteCloser
	out io.Reader
	// words is the standard error of the service.
	words *transcript
	// leave ends a service that is no longer needed. kill also ends a service that hangs, and
	// completes words.
	leave, kill func()
}

type launcher interface {
	launch(ctx context.Context, name string) (*service, error)
}

// pipedTransport is a git transport over the standard input and output of a service. The library's
// own transport is not used, because it does not stop waiting when the context ends.
type pipedTransport struct{ launcher launcher }

var _ transport.Transport = pipedTransport{}

func (t pipedTransport) NewUploadPackSession(*transport.Endpoint, transport.AuthMethod) (transport.UploadPackSession, error) {
	return &pipedSession{launcher: t.launcher, name: transport.UploadPackServiceName}, nil
}

func (t pipedTransport) NewReceivePackSession(*transport.Endpoint, transport.AuthMethod) (transport.ReceivePackSession, error) {
	return &pipedSession{launcher: t.launcher, name: transport.ReceivePackServiceName}, nil
}

type pipedSession struct {
	launcher launcher
	name     string
	running  *service
	begun    bool // whether a request was sent
}

type serviceError struct {
	cause error
	words string
}

func (s serviceError) Error() string { return s.cause.Error() }

func (s serviceError) Unwrap() error { return s.cause }

func (s *pipedSession) AdvertisedReferences() (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(context.Background())
}

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

type answered struct {
	io.Reader
	stop func() bool
}

func (a *answered) Close() error {
	a.stop()
	return nil
}

func (s *pipedSession) ReceivePack(ctx context.Context, ask *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	s.begun = true
	defer context.AfterFunc(ctx, s.running.kill)()
	sent := errors.Join(ask.Encode(s.running.in), s.running.in.Close())
	// A server may reject a push and send its report before it has read everything.
	report, err := readReport(s.running.out, ask)
	if err != nil {
		return nil, s.failed(ctx, errors.Join(sent, err))
	}
	if report == nil {
		return nil, nil
	}
	// Hooks that run after the write may still print. They would be killed if the connection were
	// closed.
	io.Copy(io.Discard, s.running.out) //nolint:errcheck // the report is complete
	return report, report.Error()
}

// failed kills the service. It returns the context's error if the context has ended, and otherwise
// err with the output of the service.
func (s *pipedSession) failed(ctx context.Context, err error) error {
	s.running.kill()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return serviceError{cause: err, words: s.running.words.String()}
}

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

type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *transcript) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p[:min(len(p), max(0, maxMessage-w.text.Len()))])
	return len(p), nil
}

func (w *transcript) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
