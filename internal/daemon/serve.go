package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
)

// Limits for HTTP clients. Responses take less than a second, except for Go's profiles, which take
// 30 seconds by default.
const (
	maxConnections  = 64
	readTimeout     = 10 * time.Second
	writeTimeout    = time.Minute
	idleTimeout     = time.Minute
	maxHeader       = 16 << 10
	shutdownTimeout = 5 * time.Second
)

// serveError is an error of the HTTP server.
type serveError struct {
	address string
	err     error
}

// Error returns a message with the address and a fix.
func (e *serveError) Error() string {
	return fmt.Sprintf("serve %s: %v; choose another address with --listen, or none with --listen=\"\"", e.address, e.err)
}

// Unwrap returns the cause.
func (e *serveError) Unwrap() error { return e.err }

// serve starts the HTTP server, which runs until stop is called; without a listener it starts
// nothing. The returned context ends with ctx, or when the server fails: its cause is then a
// *serveError.
func (d *Daemon) serve(ctx context.Context) (serving context.Context, stop func(), err error) {
	listener, err := d.Listen(ctx)
	if err != nil || listener == nil {
		return ctx, func() {}, err
	}
	mux := d.server.Handler(d.registry, telemetry.Admin{Level: d.Level, Token: d.AdminToken})
	d.registerEvents(mux)
	if d.Profile {
		telemetry.Profile(mux)
	}
	server := newServer(mux)
	address := listener.Addr().String()
	serving, broken := context.WithCancelCause(ctx)
	go func() {
		if err := server.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			broken(&serveError{address, err})
		}
	}()
	d.Log.Info("listening", zap.String("address", address))
	return serving, func() { shutDown(ctx, server); broken(nil) }, nil
}

// newServer returns a server with limits on the connections, the bodies and the time of clients.
func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           telemetry.Bounded(handler),
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
	}
}

// shutDown stops the server after the responses in progress, or after a timeout.
func shutDown(ctx context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // the process is stopping
	}
}

// brokenServer returns the error of the server, or nil if the context returned by serve has not
// ended, or has ended for another reason.
func brokenServer(serving context.Context) error {
	var broken *serveError
	if errors.As(context.Cause(serving), &broken) {
		return broken
	}
	return nil
}
