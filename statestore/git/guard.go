package git

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"sync/atomic"
	"time"
)

// silent is the error for a server that said nothing for too long.
type silent struct{ limit time.Duration }

func (s silent) Error() string { return fmt.Sprintf("the server said nothing for %s", s.limit) }

// guarded is a connection that ends when nothing comes for as long as limit.
type guarded struct {
	net.Conn
	limit time.Duration
	timer *time.Timer
	ended atomic.Bool
}

// guard watches over a connection.
func guard(conn net.Conn, limit time.Duration) net.Conn {
	g := &guarded{Conn: conn, limit: limit}
	g.timer = time.AfterFunc(limit, func() {
		g.ended.Store(true)
		g.Conn.Close() //nolint:errcheck // whoever reads will see it
	})
	return g
}

// Read reads, and postpones the end.
func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	return n, g.seen(n, err)
}

// Write writes, and postpones the end.
func (g *guarded) Write(p []byte) (int, error) {
	n, err := g.Conn.Write(p)
	return n, g.seen(n, err)
}

func (g *guarded) seen(n int, err error) error {
	if g.ended.Load() {
		return silent{g.limit}
	}
	if n > 0 {
		g.timer.Reset(g.limit)
	}
	return err
}

// Close ends the watch too.
func (g *guarded) Close() error {
	g.timer.Stop()
	return g.Conn.Close()
}

// dialFunc opens connections as net.Dialer does.
type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// guardedDial puts a watch over each connection; no limit is DefaultSilence.
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
