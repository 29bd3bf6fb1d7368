package bucket

import (
	"net/http"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/transport"
)

// tries is the maximum number of times that a request is sent.
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

func (c Config) transport() transport.Options {
	return transport.Options{Parallel: c.Parallel, Patience: c.Patience, CABundle: c.CABundle}
}
