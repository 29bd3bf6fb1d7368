package git

import (
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
	"weak"
)

// maxHandshakes is the maximum number of concurrent handshakes with one server. Servers and
// firewalls may drop more.
const maxHandshakes = 4

const handshakeTimeout = 10 * time.Second

// host limits the concurrent handshakes with one server.
type host struct{ slots chan struct{} }

func newHost() *host { return &host{slots: make(chan struct{}, maxHandshakes)} }

// enter waits for a slot. It returns the error of ctx if ctx ends first.
func (h *host) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *host) leave() { <-h.slots }

func (h *host) dial(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if err := h.enter(ctx); err != nil {
			return nil, err
		}
		defer h.leave()
		return dial(ctx, network, address)
	}
}

// dialTLS returns a dialFunc that opens TLS connections. It holds a slot until the TLS handshake is
// complete.
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
		conn.Close() //nolint:errcheck // the handshake's error is returned
		if ctx.Err() == nil && within.Err() != nil {
			err = silenceError{handshakeTimeout}
		}
		return nil, err
	})
}

// shared is a set of values by key. A value is dropped when nothing else refers to it. The zero
// value is ready to use.
type shared[K comparable, V any] struct {
	mu     sync.Mutex
	values map[K]weak.Pointer[V]
}

// get returns the value of a key. If there is none, it keeps and returns the result of open.
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

type sharedHosts struct {
	hosts  shared[string, host]
	pauses shared[account, pause]
}

// account is a user of a server. Rate limits are per account.
type account struct {
	host string
	auth Auth
}

// get returns the shared host of an address, and the shared pause of an account at the address.
func (n *sharedHosts) get(address string, auth Auth) (*host, *pause) {
	h, _ := n.hosts.get(address, func() (*host, error) { return newHost(), nil }) // the function returns no error
	r, _ := n.pauses.get(account{address, auth}, func() (*pause, error) { return &pause{}, nil })
	return h, r
}
