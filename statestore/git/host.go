package git

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
	"weak"
)

// maxHandshakes is how many connections to one server are begun at once: servers
// and their firewalls take more for an attack, and drop them.
const maxHandshakes = 4

// handshakeTimeout bounds a TLS handshake.
const handshakeTimeout = 10 * time.Second

// host is what all that connect to one server share.
type host struct{ slots chan struct{} }

// newHost is for a remote that shares nothing.
func newHost() *host { return &host{slots: make(chan struct{}, maxHandshakes)} }

// enter waits for a slot, as long as ctx allows.
func (h *host) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *host) leave() { <-h.slots }

// dial connects while it has a slot.
func (h *host) dial(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := h.enter(ctx); err != nil {
			return nil, err
		}
		defer h.leave()
		return dial(ctx, network, address)
	}
}

// dialTLS connects and makes the handshake while it has a slot.
func (h *host) dialTLS(dial dialFunc, config *tls.Config) dialFunc {
	return h.dial(func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		own := config.Clone()
		own.NextProtos = []string{"h2", "http/1.1"}
		if own.ServerName, _, err = net.SplitHostPort(address); err != nil {
			own.ServerName = address
		}
		secured := tls.Client(conn, own)
		within, cancel := context.WithTimeout(ctx, handshakeTimeout)
		defer cancel()
		err = secured.HandshakeContext(within)
		if err == nil {
			return secured, nil
		}
		conn.Close() //nolint:errcheck // the handshake's error counts
		if ctx.Err() == nil && within.Err() != nil {
			err = silent{handshakeTimeout}
		}
		return nil, err
	})
}

// shared are values that live as long as somebody uses them. Its zero value is
// ready.
type shared[K comparable, V any] struct {
	mu     sync.Mutex
	values map[K]weak.Pointer[V]
}

// get returns the value of a key, and opens one if there is none.
func (s *shared[K, V]) get(key K, open func() (*V, error)) (*V, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := s.values[key].Value(); held != nil {
		return held, nil
	}
	made, err := open()
	if err != nil {
		return nil, err
	}
	if s.values == nil {
		s.values = map[K]weak.Pointer[V]{}
	}
	for other, pointer := range s.values {
		if pointer.Value() == nil {
			delete(s.values, other)
		}
	}
	s.values[key] = weak.Make(made)
	return made, nil
}

// neighbours are the servers that the stores of a Pool reach. Its zero value is
// ready.
type neighbours struct {
	hosts shared[string, host]
	rests shared[account, rest]
}

// account is a user of a server: what the server limits.
type account struct {
	host string
	auth Auth
}

// meet returns what a remote shares with others on its server, and with those of
// them that have its credentials.
func (n *neighbours) meet(address string, auth Auth) (*host, *rest) {
	h, _ := n.hosts.get(address, func() (*host, error) { return newHost(), nil }) // it cannot fail
	r, _ := n.rests.get(account{address, auth}, func() (*rest, error) { return &rest{}, nil })
	return h, r
}
