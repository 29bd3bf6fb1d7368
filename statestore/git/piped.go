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
	// words is what it prints beside the protocol.
	words *words
	// leave ends it when nothing more is wanted of it; kill ends it, and the
	// connection to it, even if it hangs. After kill all its words are there.
	leave, kill func()
}

// launcher starts a service of a repository: as a process of this machine, or
// by ssh.
type launcher interface {
	launch(ctx context.Context, name string) (*service, error)
}

// pipedTransport speaks git's protocol with services that have pipes. The
// library has the like, but it waits without regard to a context, dials anew for
// each exchange, and drops most of what a server says.
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
	begun    bool // a request was sent
}

// spoken is a failure of a service, with what it printed.
type spoken struct {
	cause error
	words string
}

func (s spoken) Error() string { return s.cause.Error() }

func (s spoken) Unwrap() error { return s.cause }

// AdvertisedReferences starts the service.
func (s *pipedSession) AdvertisedReferences() (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(context.Background())
}

// AdvertisedReferencesContext starts the service and reads what it offers.
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

// UploadPack sends a request and returns the answer, which must be closed.
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

// answered is an answer of which the end is known when it is closed.
type answered struct {
	io.Reader
	stop func() bool
}

// Close ends the watch over the context.
func (a *answered) Close() error {
	a.stop()
	return nil
}

// ReceivePack sends a push and returns the report; nil when the request asks for
// none.
func (s *pipedSession) ReceivePack(ctx context.Context, ask *packp.ReferenceUpdateRequest) (*packp.ReportStatus, error) {
	s.begun = true
	defer context.AfterFunc(ctx, s.running.kill)()
	sent := errors.Join(ask.Encode(s.running.in), s.running.in.Close())
	// A server that refused early says why although it did not read everything.
	report, err := readReport(s.running.out, ask)
	if err != nil {
		return nil, s.failed(ctx, errors.Join(sent, err))
	}
	if report == nil {
		return nil, nil
	}
	// Hooks that run after the write may still talk; cutting them off would end them.
	io.Copy(io.Discard, s.running.out) //nolint:errcheck // the report is there
	return report, report.Error()
}

// failed adds the context's end, or what the service printed, to an error.
func (s *pipedSession) failed(ctx context.Context, err error) error {
	s.running.kill()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return spoken{cause: err, words: s.running.words.String()}
}

// Close ends the service, by a word of goodbye when nothing was asked of it.
func (s *pipedSession) Close() error {
	if s.running == nil {
		return nil
	}
	if !s.begun {
		s.running.in.Write(pktline.FlushPkt) //nolint:errcheck // it may have gone
		s.running.in.Close()                 //nolint:errcheck // it may have gone
	}
	s.running.leave()
	s.running = nil
	return nil
}

// words keeps the first of what is written to it.
type words struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write takes everything and keeps what fits.
func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text.Write(p[:min(len(p), max(0, maxWords-w.text.Len()))])
	return len(p), nil
}

// String returns what was kept.
func (w *words) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}
