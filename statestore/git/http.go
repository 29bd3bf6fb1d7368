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

const maxReport = 16 << 20

// maxDrain is the maximum number of unread bytes of a response that are read so that the connection
// can be reused.
const maxDrain = 64 << 10

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
	return &http.Client{Transport: drainingTransport{own, seen}}, nil
}

type proxyRefusal struct{ proxy, status string }

func (p proxyRefusal) Error() string {
	return fmt.Sprintf("the proxy %s refuses the connection: %s", p.proxy, p.status)
}

// checkProxy returns an error if a proxy rejects a connection. The error of net/http would have no
// status code.
func checkProxy(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return proxyRefusal{proxy: proxy.Host, status: answer.Status}
}

// drainingTransport is a RoundTripper that reads responses further than git's parsers do, so that
// connections can be reused.
type drainingTransport struct {
	next http.RoundTripper
	seen *moved
}

func (t drainingTransport) CloseIdleConnections() {
	if idle, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		idle.CloseIdleConnections()
	}
}

func (t drainingTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.next.RoundTrip(request)
	if err != nil {
		return response, err
	}
	t.seen.see(response)
	if response.Header.Get("Content-Type") != "application/x-git-receive-pack-result" {
		response.Body = drainedBody{response.Body}
		return response, nil
	}
	report, err := io.ReadAll(io.LimitReader(response.Body, maxReport))
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(report))
	return response, err
}

type drainedBody struct{ io.ReadCloser }

func (d drainedBody) Close() error {
	io.CopyN(io.Discard, d.ReadCloser, maxDrain) //nolint:errcheck // a failure only prevents the reuse of the connection
	return d.ReadCloser.Close()
}
