package bucket

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// minUploadSpeed is the speed, in bytes per second, below which an upload is cancelled.
const minUploadSpeed = 64 << 10

// transport limits the number of concurrent requests, and cancels requests without a response.
type transport struct {
	next     http.RoundTripper
	limit    *limiter
	patience time.Duration
	pause    pause
}

func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
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
		return silenceError(w.patience)
	}
	if errors.Is(err, io.EOF) {
		return errConnectionClosed
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
		err = silenceError(w.patience)
	}
	return n, err
}

func (w *watchdog) Close() error {
	w.timer.Stop()
	err := w.body.Close()
	w.cancel()
	return err
}

var errConnectionClosed = errors.New("the server closed the connection and did not answer")

type silenceError time.Duration

func (s silenceError) Error() string {
	return fmt.Sprintf("the server sent nothing for %s", time.Duration(s))
}
