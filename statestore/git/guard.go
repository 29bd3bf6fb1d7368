package git

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

type silenceError struct{ limit time.Duration }

func (s silenceError) Error() string { return fmt.Sprintf("the server sent nothing for %s", s.limit) }

// guarded is a connection that is closed after the time limit without data.
type guarded struct {
	net.Conn
	limit time.Duration
	timer *time.Timer
	ended atomic.Bool
}

func guard(conn net.Conn, limit time.Duration) net.Conn {
	g := &guarded{Conn: conn, limit: limit}
	g.timer = time.AfterFunc(limit, func() {
		g.ended.Store(true)
		g.Conn.Close() //nolint:errcheck // the reader gets the error
	})
	return g
}

func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	return n, g.seen(n, err)
}

func (g *guarded) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	return n, g.seen(n, err)
}

func (g *guarded) seen(n int, err error) error {
	if g.ended.Load() {
		return silenceError{g.limit}
	}
	if n > 0 {
		g.timer.Reset(g.limit)
	}
	return err
}

func (g *guarded) Close() error {
	g.timer.Stop()
	return g.Conn.Close()
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

func guardedDial(dial dialFunc, limit time.Duration) dialFunc {
	limit = cmp.Or(limit, DefaultSilence)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return guard(conn, limit), nil
	}
}
