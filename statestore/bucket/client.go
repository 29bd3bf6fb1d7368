package bucket

import (
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
)

// tries is the maximum number of times that a request is sent if the server is busy or does not
// respond.
const tries = 8

func newClient(config Config, base http.RoundTripper) (*minio.Core, error) {
	client, err := minio.NewCore(config.Endpoint, &minio.Options{
		Creds:      newCredentials(config.Auth),
		Secure:     !config.Insecure,
		Region:     config.Region,
		MaxRetries: tries,
		Transport:  transport.Limited(base, config.transport()),
	})
	if err != nil {
		return nil, err
	}
	client.SetS3EnableDualstack(config.DualStack)
	client.SetAppInfo("kratix-schedule", "0")
	return client, nil
}

func newHTTPTransport(config Config) (*http.Transport, error) {
	own := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: config.Patience, KeepAlive: 15 * time.Second}).DialContext,
		MaxIdleConns:        config.Parallel * 2,
		MaxIdleConnsPerHost: config.Parallel,
		IdleConnTimeout:     time.Minute,
		TLSHandshakeTimeout: config.Patience,
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
		// Contents must arrive as they are stored, because their digests are compared.
		DisableCompression: true,
	}
	if len(config.CABundle) == 0 {
		return own, nil
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(config.CABundle) {
		return nil, errors.New("the CA bundle (key ca.crt of the Secret) holds no PEM certificate")
	}
	own.TLSClientConfig.RootCAs = pool
	return own, nil
}
