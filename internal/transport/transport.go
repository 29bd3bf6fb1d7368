// Package transport sends the HTTP requests of stores. It limits the number of concurrent requests,
// cancels requests without an answer, and respects a pause that a server demands. It does I/O.
package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// minUploadSpeed is the speed, in bytes per second, below which an upload is cancelled.
const minUploadSpeed = 64 << 10

// Options are the settings of the requests to one server.
type Options struct {
	// Parallel is the maximum number of concurrent requests.
	Parallel int
	// Patience is how long a server may send nothing until a request is cancelled.
	Patience time.Duration
	// CABundle has PEM certificates of CAs that are trusted in addition to those of the system.
	CABundle []byte
}

// New returns a transport that makes connections with TLS 1.2 or newer. It returns an error if the
// CA bundle has no certificate.
func New(o Options) (*http.Transport, error) {
	made := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: o.Patience, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConns:        o.Parallel * 2,
		MaxIdleConnsPerHost: o.Parallel,
		IdleConnTimeout:     time.Minute,
		TLSHandshakeTimeout: o.Patience,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		// Contents are compared byte by byte.
		DisableCompression: true,
	}
	if len(o.CABundle) == 0 {
		return made, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(o.CABundle) {
		return nil, errors.New("the CA bundle (key ca.crt of the Secret) holds no PEM certificate")
	}
	made.TLSClientConfig.RootCAs = pool
	return made, nil
}

// Limited returns a transport that sends requests through next. It limits the number of concurrent
// requests, cancels requests that the server does not answer, and waits for the end of a pause that
// the server has demanded.
func Limited(next http.RoundTripper, o Options) http.RoundTripper {
	return &limited{next: next, limit: newLimiter(o.Parallel), patience: o.Patience}
}

type limited struct {
	next     http.RoundTripper
	limit    *limiter
	patience time.Duration
	pause    pause
}

// RoundTrip sends a request. It first waits for the end of a pause, and until fewer requests are in
// progress than the limit.
func (t *limited) RoundTrip(request *http.Request) (*http.Response, error) {
	if err := t.pause.await(request.Context(), t.patience); err != nil {
		return nil, err
	}
	if err := t.limit.acquire(request.Context()); err != nil {
		return nil, err
	}
	busy := false
	defer func() { t.limit.release(busy) }()

	ctx, cancel := context.WithCancel(request.Context())
	watch := &watchdog{cancel: cancel, patience: t.patience}
	watch.timer = time.AfterFunc(t.patience+time.Duration(max(request.ContentLength, 0)/minUploadSpeed)*time.Second, watch.expire)
	response, err := t.next.RoundTrip(request.WithContext(ctx))
	if err != nil {
		return nil, watch.explain(err)
	}
	t.pause.see(response)
	busy = response.StatusCode == http.StatusServiceUnavailable || response.StatusCode == http.StatusTooManyRequests
	watch.body = response.Body
	response.Body = watch
	return response, nil
}

// watchdog cancels a request that transfers no data for the time patience. The watchdog is also the
// body of the response.
type watchdog struct {
	body      io.ReadCloser
	timer     *time.Timer
	cancel    context.CancelFunc
	patience  time.Duration
	isExpired atomic.Bool
}

func (w *watchdog) expire() {
	w.isExpired.Store(true)
	w.cancel()
}

func (w *watchdog) explain(err error) error {
	w.timer.Stop()
	w.cancel()
	if w.isExpired.Load() {
		return SilenceError(w.patience)
	}
	if errors.Is(err, io.EOF) {
		return ErrConnectionClosed
	}
	// minio-go does not try again if it gets this error unwrapped.
	var unknown x509.UnknownAuthorityError
	if errors.As(err, &unknown) {
		return unknown
	}
	return err
}

func (w *watchdog) Read(p []byte) (int, error) {
	n, err := w.body.Read(p)
	switch {
	case err == nil:
		w.timer.Reset(w.patience)
	case err != io.EOF && w.isExpired.Load(): //nolint:errorlint // readers return io.EOF itself
		err = SilenceError(w.patience)
	}
	return n, err
}

func (w *watchdog) Close() error {
	w.timer.Stop()
	err := w.body.Close()
	w.cancel()
	return err
}

// ErrConnectionClosed is the error if the server closes the connection before it has sent a
// response.
var ErrConnectionClosed = errors.New("the server closed the connection and did not answer")

// SilenceError is the error if the server sends nothing for this time.
type SilenceError time.Duration

// Error returns the message.
func (s SilenceError) Error() string {
	return fmt.Sprintf("the server sent nothing for %s", time.Duration(s))
}
