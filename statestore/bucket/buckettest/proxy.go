package buckettest

import (
	"net/http"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
)

// NewProxy starts a proxy in front of a server.
func NewProxy(t testing.TB, endpoint string) *servertest.Proxy {
	t.Helper()
	return servertest.NewProxy(t, endpoint, Describe)
}

// NewTLSProxy starts a proxy with TLS. Its certificate is not signed by a CA of the system.
func NewTLSProxy(t testing.TB, endpoint string) *servertest.Proxy {
	t.Helper()
	return servertest.NewTLSProxy(t, endpoint, Describe)
}

// Describe returns a short description of a request, such as "LIST" or "DELETE many".
func Describe(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case query.Has("list-type"):
		return "LIST"
	case query.Has("location"):
		return "LOCATION"
	case query.Has("delete"):
		return "DELETE many"
	case query.Has("uploads"):
		return "BEGIN upload"
	case query.Has("uploadId"):
		return "ABORT upload"
	}
	return r.Method + " " + r.URL.Path
}

// Fail writes an error response of S3.
func Fail(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>` + code + `</Code><Message>` + message +
		`</Message><RequestId>1</RequestId></Error>`))
}
