package git

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxReport bounds a server's answer to a push, in bytes.
const maxReport = 16 << 20

// maxDrain bounds what is read of an answer nobody needs, to keep the
// connection, in bytes.
const maxDrain = 64 << 10

// newHTTPClient makes a client with the store's certificates; proxies come
// from the environment.
func newHTTPClient(config Config, server *host, seen *moved) (*http.Client, error) {
	base, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, errors.New("the default HTTP transport was replaced")
	}
	own := base.Clone()
	own.TLSClientConfig = &tls.Config{InsecureSkipVerify: config.Insecure} //nolint:gosec // only when the store's spec says so
	if len(config.CABundle) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(config.CABundle) {
			return nil, errors.New("the CA bundle (key ca.crt of the Secret) holds no PEM certificate")
		}
		own.TLSClientConfig.RootCAs = pool
	}
	dial := guardedDial(own.DialContext, config.Silence)
	own.DialContext, own.DialTLSContext = server.dial(dial), server.dialTLS(dial, own.TLSClientConfig)
	own.OnProxyConnectResponse = checkProxy
	return &http.Client{Transport: thrifty{own, seen}}, nil
}

// proxyRefusal is the answer of a proxy that does not let us through.
type proxyRefusal struct{ proxy, status string }

func (p proxyRefusal) Error() string {
	return fmt.Sprintf("the proxy %s does not connect us: %s", p.proxy, p.status)
}

// checkProxy reads a proxy's answer; the library would keep only the end of its
// status.
func checkProxy(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return proxyRefusal{proxy: proxy.Host, status: answer.Status}
}

// thrifty keeps connections usable: it reads answers to their end, which the
// git protocol's readers do not.
type thrifty struct {
	next http.RoundTripper
	seen *moved
}

// CloseIdleConnections closes what http.Client would close of its own transport.
func (t thrifty) CloseIdleConnections() {
	if idle, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}

// RoundTrip sends the request.
func (t thrifty) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return response, err
	}
	t.seen.see(response)
	if response.Header.Get("Content-Type") != "application/x-git-receive-pack-result" {
		response.Body = drained{response.Body}
		return response, nil
	}
	report, err := io.ReadAll(io.LimitReader(response.Body, maxReport))
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(report))
	return response, err
}

// drained reads what is left before it closes.
type drained struct{ io.ReadCloser }

// Close reads a little more, then closes.
func (d drained) Close() error {
	io.CopyN(io.Discard, d.ReadCloser, maxDrain) //nolint:errcheck // only to keep the connection
	return d.ReadCloser.Close()
}
