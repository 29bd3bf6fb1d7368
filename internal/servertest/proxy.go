package servertest

import (
	"crypto/x509"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// Proxy is a proxy in front of a server. It counts requests, and lets a test intercept them.
type Proxy struct {
	// Endpoint is the proxy's host and port.
	Endpoint string
	// Certificate is the proxy's certificate, if it uses TLS.
	Certificate *x509.Certificate

	describe func(*http.Request) string
	mu       sync.Mutex
	changed  *sync.Cond
	met      map[string]bool // whether each client, by its address, is still connected
	requests []string
	between  func(next http.Handler, w http.ResponseWriter, r *http.Request)
}

// NewProxy starts a proxy in front of a server. describe returns a short description of a request.
func NewProxy(t testing.TB, endpoint string, describe func(*http.Request) string) *Proxy {
	t.Helper()
	return newProxy(t, endpoint, describe, (*httptest.Server).Start)
}

// NewTLSProxy starts a proxy with TLS. No client trusts its certificate.
func NewTLSProxy(t testing.TB, endpoint string, describe func(*http.Request) string) *Proxy {
	t.Helper()
	return newProxy(t, endpoint, describe, (*httptest.Server).StartTLS)
}

func newProxy(t testing.TB, endpoint string, describe func(*http.Request) string, start func(*httptest.Server)) *Proxy {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: endpoint}
	forward := &httputil.ReverseProxy{
		// The Host header stays as it is, because the client's signature may include it.
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host
			r.Out.Host = r.In.Host
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 128, DisableCompression: true},
		// It is not an error if a client closes its connection.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p := &Proxy{met: map[string]bool{}, describe: describe}
	p.changed = sync.NewCond(&p.mu)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if between := p.note(r); between != nil {
			between(forward, w, r)
			return
		}
		forward.ServeHTTP(w, r)
	}))
	// Some tests let TLS handshakes fail on purpose, so the server's log is discarded.
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Config.ConnState = p.follow
	start(server)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	p.Endpoint, p.Certificate = server.Listener.Addr().String(), server.Certificate()
	return p
}

func (p *Proxy) note(r *http.Request) func(http.Handler, http.ResponseWriter, *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, p.describe(r))
	return p.between
}

func (p *Proxy) follow(conn net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.met[conn.RemoteAddr().String()] = state != http.StateClosed && state != http.StateHijacked
	p.changed.Broadcast()
}

// Quiet waits until all clients that have connected so far have disconnected, and their requests
// are complete.
func (p *Proxy) Quiet(t testing.TB) {
	t.Helper()
	last, err := net.Dial("tcp", p.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	ours := last.LocalAddr().String()
	_ = last.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		_, met := p.met[ours]
		busy := false
		for there := range maps.Values(p.met) {
			busy = busy || there
		}
		if met && !busy {
			return
		}
		p.changed.Wait()
	}
}

// Between makes the proxy call f for every request. If f is nil, the proxy forwards requests again.
func (p *Proxy) Between(f func(next http.Handler, w http.ResponseWriter, r *http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.between = f
}

// Requests returns the requests since the last call, in order.
func (p *Proxy) Requests() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	requests := p.requests
	p.requests = nil
	return requests
}
