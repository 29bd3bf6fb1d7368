package kratix

import (
	"path"
	"strings"
)

func (s *GitStateStore) storage() (storage, path string) {
	return normalURL(s.Spec.URL) + "#" + BranchName(s.Spec.Branch), s.Spec.Path
}

func (s *BucketStateStore) storage() (storage, path string) {
	return s.Spec.host() + "/" + s.Spec.BucketName, s.Spec.Path
}

func (s *BucketStateStoreSpec) host() string {
	scheme := "https"
	if s.Insecure {
		scheme = "http"
	}
	return strings.TrimSuffix(strings.ToLower(s.Endpoint), ":"+defaultPorts()[scheme])
}

// StorageOf returns the storage of the state store spec, and the path of the store in it. If spec
// is not a StateStore, the storage is the text of ref.
func StorageOf(ref StateStoreReference, spec Object) (storage, path string) {
	if store, ok := spec.(StateStore); ok {
		return store.storage()
	}
	return ref.String(), ""
}

// normalURL returns the same text for equivalent URLs of a repository.
func normalURL(raw string) string {
	parsed, err := ParseGitURL(raw)
	if err != nil {
		return trimRepository(path.Clean(raw))
	}
	if parsed.Scheme == "file" {
		return trimRepository(path.Clean(strings.TrimPrefix(parsed.Host, "localhost") + parsed.Path))
	}
	host := strings.ToLower(parsed.Hostname())
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port := parsed.Port(); port != "" && port != defaultPorts()[parsed.Scheme] {
		host += ":" + port
	}
	return host + trimRepository(path.Clean("/"+parsed.Path))
}

func trimRepository(dir string) string {
	return strings.TrimSuffix(strings.TrimSuffix(dir, "/"), ".git")
}

func defaultPorts() map[string]string {
	return map[string]string{"https": "443", "http": "80", "ssh": "22"}
}
