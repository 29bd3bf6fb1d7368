package kratix

import (
	"cmp"
	"path"
	"strings"
)

// Location is where a store writes: the repository and branch, or the bucket, in a normalized
// spelling, and the path inside. Stores with equal locations write to the same files.
//
// +kubebuilder:object:generate=false
type Location struct{ Place, Path string }

// Location returns the location of the store.
func (s *GitStateStore) Location() Location {
	return Location{Place: normalURL(s.Spec.URL) + "#" + BranchName(s.Spec.Branch), Path: s.Spec.Path}
}

// Location returns the location of the store.
func (s *BucketStateStore) Location() Location {
	return Location{Place: s.Spec.host() + "/" + s.Spec.BucketName, Path: s.Spec.Path}
}

// host returns the endpoint in lower case and without the default port.
func (s *BucketStateStoreSpec) host() string {
	scheme := "https"
	if s.Insecure {
		scheme = "http"
	}
	return strings.TrimSuffix(strings.ToLower(s.Endpoint), ":"+defaultPorts()[scheme])
}

// LocationOf returns the location of a store; spec is the state store. If it is nil, the
// reference itself serves as the place.
func LocationOf(ref StateStoreReference, spec Object) Location {
	if located, ok := spec.(interface{ Location() Location }); ok {
		return located.Location()
	}
	return Location{Place: ref.String()}
}

// SiteOf names the location of a Destination's files: equal for two Destinations whose
// files lie at one path of one repository or bucket. spec describes the store.
func SiteOf(d *Destination, ref StateStoreReference, spec Object) string {
	location := LocationOf(ref, spec)
	dir := path.Join("/", location.Path, cmp.Or(d.Spec.Path, d.Name))
	return location.Place + ":" + strings.TrimPrefix(dir, "/")
}

// normalURL removes the parts of a URL that do not identify the repository: user, password, the
// default port, a trailing slash, ".git", the case of the host and escapes. It treats the
// scp-like syntax as an ssh URL.
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
