package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"go.uber.org/zap"
	"golang.org/x/net/netutil"

	"github.com/kratix-schedule/kratix-schedule/internal/agent/receive"
	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
)

// The limits for HTTP clients. writeTimeout exceeds the 30 seconds of Go's profiles.
const (
	maxConnections  = 64
	readTimeout     = 10 * time.Second
	writeTimeout    = time.Minute
	idleTimeout     = time.Minute
	maxHeader       = 16 << 10
	shutdownTimeout = 5 * time.Second
)

type serveError struct {
	flag, address string
	err           error
}

func (e *serveError) Error() string {
	return fmt.Sprintf("serve %s: %v; choose another address with %s, or none with %s=\"\"", e.address, e.err, e.flag, e.flag)
}

func (e *serveError) Unwrap() error { return e.err }

// serve starts the HTTP servers, which run until stop is called. The returned context ends with
// ctx, or with a *serveError as its cause when a server fails.
func (d *Daemon) serve(ctx context.Context) (serving context.Context, stop func(), err error) {
	listener, err := d.Listen(ctx)
	if err != nil {
		return ctx, func() {}, err
	}
	own, err := d.listenPage(ctx)
	if err != nil {
		if listener != nil {
			_ = listener.Close() // nothing was served yet
		}
		return ctx, func() {}, err
	}
	serving, broken := context.WithCancelCause(ctx)
	var servers []*http.Server
	if listener != nil {
		servers = append(servers, d.start(listener, d.endpoints(own == nil), "--listen", broken))
	}
	if own != nil {
		mux := http.NewServeMux()
		d.Page.Register(mux)
		servers = append(servers, d.start(own, mux, "--listen-page", broken))
	}
	return serving, func() {
		if d.Page != nil {
			d.Page.Close() // open pages would keep the servers from stopping
		}
		for _, server := range servers {
			shutDown(ctx, server)
		}
		broken(nil)
	}, nil
}

func (d *Daemon) listenPage(ctx context.Context) (net.Listener, error) {
	if d.Page == nil || d.ListenPage == nil {
		return nil, nil //nolint:nilnil // no listener is requested
	}
	return d.ListenPage(ctx)
}

func (d *Daemon) endpoints(withPage bool) *http.ServeMux {
	mux := d.server.Handler(d.registry, telemetry.Admin{Level: d.Level, Token: d.AdminToken})
	d.registerEvents(mux)
	d.registerGitEvents(mux)
	if d.Profile {
		telemetry.Profile(mux)
	}
	if withPage && d.Page != nil {
		d.Page.Register(mux)
	}
	return mux
}

// start starts a server on a listener. It calls broken if the server fails later.
func (d *Daemon) start(listener net.Listener, handler http.Handler, flag string, broken context.CancelCauseFunc) *http.Server {
	server := newServer(handler)
	address := listener.Addr().String()
	go func() {
		if err := server.Serve(netutil.LimitListener(listener, maxConnections)); !errors.Is(err, http.ErrServerClosed) {
			broken(&serveError{flag, address, err})
		}
	}()
	d.Log.Info("listening", zap.String("address", address))
	return server
}

func newServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           telemetry.Bounded(handler, map[string]int64{receive.GitPath: receive.MaxGitBody}),
		ReadHeaderTimeout: readTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
	}
}

func shutDown(ctx context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close() // the process is stopping
	}
}

// brokenServer returns the error of a failed server, or nil if no server has failed.
func brokenServer(serving context.Context) error {
	var broken *serveError
	if errors.As(context.Cause(serving), &broken) {
		return broken
	}
	return nil
}
