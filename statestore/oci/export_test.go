package oci

import (
	"net/http"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Repack unpacks a layer, and packs its files again. It returns the paths and the new layer.
func Repack(layer []byte) (names []string, again []byte, err error) {
	read, err := unpack(layer, tree.Path{})
	if err != nil {
		return nil, nil, err
	}
	if err := read.check(); err != nil {
		return nil, nil, err
	}
	for _, file := range read.files {
		names = append(names, file.Path.String()+" "+string(file.Content))
	}
	again, err = read.pack(tree.Path{})
	return names, again, err
}

// SendThrough makes the store send its requests through a transport, without limits and retries.
func (s *Store) SendThrough(sender http.RoundTripper) { s.client.Client.Client.Transport = sender }
