package ocitest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
)

// RefuseLayersWith returns a handler that rejects layers with part in the name of an entry.
func RefuseLayersWith(part string) func(next http.Handler, w http.ResponseWriter, r *http.Request) {
	return func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodPut && strings.Contains(strings.Join(NamesIn(body), "\n"), part) {
			Fail(w, http.StatusRequestEntityTooLarge, "SIZE_INVALID", "the layer is too large")
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	}
}

// NamesIn returns the names of the entries in a layer.
func NamesIn(layer []byte) []string {
	zipped, err := gzip.NewReader(bytes.NewReader(layer))
	if err != nil {
		return nil
	}
	var names []string
	for archive := tar.NewReader(zipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) || err != nil {
			return names
		}
		names = append(names, header.Name)
	}
}
