package kratix

import (
	"cmp"
	"path"
	"strings"
)

// Location says which place a store writes to, such that two stores with equal
// locations write to the same: the repository and branch, or the bucket,
// however they are spelt, and the path inside.
//
// +kubebuilder:object:generate=false
type Location struct{ Place, Path string }

// Location returns where the store writes.
func (s *GitStateStore) Location() Location {
	return Location{Place: normalURL(s.Spec.URL) + "#" + BranchName(s.Spec.Branch), Path: s.Spec.Path}
}

// Location returns where the store writes.
func (s *BucketStateStore) Location() Location {
	return Location{Place: s.Spec.host() + "/" + s.Spec.BucketName, Path: s.Spec.Path}
}

// host returns the endpoint without what does not change the server: the default
// port, and the case.
func (s *BucketStateStoreSpec) host() string {
	scheme := "https"
	if s.Insecure {
		scheme = "http"
	}
	return strings.TrimSuffix(strings.ToLower(s.Endpoint), ":"+defaultPorts()[scheme])
}

// LocationOf says where a store writes; spec describes the store. Where nothing
// does, spec being nil, the store's own name is the place.
func LocationOf(ref StateStoreReference, spec Object) Location {
	if located, ok := spec.(interface{ Location() Location }); ok {
		return located.Location()
	}
	return Location{Place: ref.String()}
}

// SiteOf says where the files of a Destination lie in a store, such that those of two
// that lie in one place are equal; spec describes the store.
func SiteOf(d *Destination, ref StateStoreReference, spec Object) string {
	location := LocationOf(ref, spec)
	dir := path.Join("/", location.Path, cmp.Or(d.Spec.Path, d.Name))
	return location.Place + ":" + strings.TrimPrefix(dir, "/")
}

// normalURL drops what does not change the repository: user, password, the
// default port, a trailing slash, ".git", the case of the host, what a URL
// escapes, and whether ssh is written as a URL or as host:path.
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
