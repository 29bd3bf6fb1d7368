package ocitest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Memory is a registry in memory, with the parts of the protocol that the store uses.
type Memory struct {
	mu        sync.Mutex
	blobs     map[string][]byte
	manifests map[string]map[string][]byte // by repository, then by tag or digest
	types     map[string]string            // media types of manifests, by digest
	uploads   int
}

var _ http.Handler = (*Memory)(nil)

// NewMemory returns an empty registry.
func NewMemory() *Memory {
	return &Memory{blobs: map[string][]byte{}, manifests: map[string]map[string][]byte{}, types: map[string]string{}}
}

// ServeHTTP answers a request.
func (m *Memory) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	for part, serve := range map[string]func(http.ResponseWriter, *http.Request, string, string, []byte){
		"/blobs/uploads/": m.upload, "/blobs/": m.blob, "/manifests/": m.manifest, "/tags/": m.tags,
	} {
		name, rest, found := strings.Cut(path, part)
		if found && !(part == "/blobs/" && strings.HasPrefix(rest, "uploads/")) {
			serve(w, r, name, rest, body)
			return
		}
	}
	w.WriteHeader(http.StatusOK)
}

func (m *Memory) upload(w http.ResponseWriter, r *http.Request, name, _ string, body []byte) {
	switch r.Method {
	case http.MethodPost:
		m.uploads++
		w.Header().Set("Location", fmt.Sprintf("/v2/%s/blobs/uploads/%d", name, m.uploads))
		w.WriteHeader(http.StatusAccepted)
	case http.MethodPut:
		if digest := DigestOf(body); digest != r.URL.Query().Get("digest") {
			Fail(w, http.StatusBadRequest, "DIGEST_INVALID", "another digest")
			return
		}
		m.blobs[name+"@"+DigestOf(body)] = body
		w.WriteHeader(http.StatusCreated)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (m *Memory) blob(w http.ResponseWriter, _ *http.Request, name, digest string, _ []byte) {
	content, there := m.blobs[name+"@"+digest]
	if !there {
		Fail(w, http.StatusNotFound, "BLOB_UNKNOWN", "no such blob")
		return
	}
	_, _ = w.Write(content)
}

func (m *Memory) manifest(w http.ResponseWriter, r *http.Request, name, reference string, body []byte) {
	if r.Method == http.MethodPut {
		digest := DigestOf(body)
		if m.manifests[name] == nil {
			m.manifests[name] = map[string][]byte{}
		}
		m.manifests[name][reference], m.manifests[name][digest] = body, body
		m.types[digest] = r.Header.Get("Content-Type")
		w.WriteHeader(http.StatusCreated)
		return
	}
	content, there := m.manifests[name][reference]
	if !there {
		Fail(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "no such manifest")
		return
	}
	if r.Method == http.MethodDelete {
		for tag, tagged := range m.manifests[name] {
			if tag == reference || DigestOf(tagged) == reference {
				delete(m.manifests[name], tag)
			}
		}
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Docker-Content-Digest", DigestOf(content))
	w.Header().Set("Content-Type", m.types[DigestOf(content)])
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(content)
	}
}

func (m *Memory) tags(w http.ResponseWriter, _ *http.Request, name, _ string, _ []byte) {
	tags := []string{}
	for tag := range m.manifests[name] {
		if !strings.Contains(tag, ":") {
			tags = append(tags, tag)
		}
	}
	slices.Sort(tags)
	_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "tags": tags})
}

// DigestOf returns the digest of a content.
func DigestOf(content []byte) string {
	hash := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(hash[:])
}
