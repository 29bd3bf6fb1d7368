package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/telemetry"
)

// serve answers HTTP requests, if it is asked to, until stop is called.
func (d *Daemon) serve(ctx context.Context) (failed <-chan error, stop func(), err error) {
	listener, err := d.Listen(ctx)
	if err != nil || listener == nil {
		return nil, func() {}, err
	}
	mux := d.server.Handler(d.registry, d.Level)
	if d.Profile {
		telemetry.Profile(mux)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	address := listener.Addr().String()
	trouble := make(chan error, 1)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			trouble <- fmt.Errorf("serve %s: %w", address, err)
		}
	}()
	d.Log.Info("listening", zap.String("address", address))
	return trouble, func() { _ = server.Close() }, nil
}
