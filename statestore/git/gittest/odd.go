package gittest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
)

// Odd describes differences from git's own server.
type Odd struct {
	// NeedsMultiAck means that fetches without multi_ack are rejected.
	NeedsMultiAck bool
	// Without are the capabilities that the server does not advertise.
	Without []string
}

// Before returns a handler that wraps the backend.
func (o Odd) Before(backend http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodGet && len(o.Without) > 0:
			o.advertise(backend, w, r)
			return
		case o.NeedsMultiAck && r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/git-upload-pack"):
			body, err := requestBody(r)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			first, _, _ := bytes.Cut(body, []byte("\n"))
			if !bytes.Contains(first, []byte(" multi_ack")) {
				http.Error(w, "Clients must support multi-ack.", http.StatusBadRequest)
				return
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		}
		backend.ServeHTTP(w, r)
	})
}

func requestBody(r *http.Request) ([]byte, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(r.Body)
	}
	r.Header.Del("Content-Encoding")
	unpacked, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unpacked)
}

func (o Odd) advertise(backend http.Handler, w http.ResponseWriter, r *http.Request) {
	recorded := httptest.NewRecorder()
	backend.ServeHTTP(recorded, r)
	for key, values := range recorded.Header() {
		if key != "Content-Length" {
			w.Header()[key] = values
		}
	}
	w.WriteHeader(recorded.Code)
	w.Write(o.strip(recorded.Body.Bytes())) //nolint:errcheck // the client may have closed the connection
}

func (o Odd) strip(packets []byte) []byte {
	var out bytes.Buffer
	for len(packets) >= 4 {
		length, err := strconv.ParseUint(string(packets[:4]), 16, 16)
		if err != nil {
			break
		}
		if length == 0 {
			out.WriteString("0000")
			packets = packets[4:]
			continue
		}
		line := string(packets[4:length])
		packets = packets[length:]
		if name, capabilities, found := strings.Cut(line, "\x00"); found {
			kept := slices.DeleteFunc(strings.Fields(capabilities), func(capability string) bool {
				key, _, _ := strings.Cut(capability, "=")
				return slices.Contains(o.Without, key)
			})
			line = name + "\x00" + strings.Join(kept, " ") + "\n"
		}
		fmt.Fprintf(&out, "%04x%s", len(line)+4, line)
	}
	out.Write(packets)
	return out.Bytes()
}
