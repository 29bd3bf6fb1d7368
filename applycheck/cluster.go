package applycheck

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/version"
)

// Cluster describes the API server of a Destination. It is immutable and safe for concurrent
// use; make one with NewCluster and use it in every round until the version or the profile
// changes. The zero Cluster is one of which nothing is known.
type Cluster struct {
	minor   string
	profile *Profile
}

// NewCluster returns the description of an API server. kubernetesVersion is its version, as
// "1.35", "v1.35" or "v1.35.4-gke.1", or empty if it is not known; the profile may be nil. A
// profile has a version itself, which counts if kubernetesVersion is empty. A version that is
// not embedded is not known: see Certain. The error is about a version that cannot be parsed.
func NewCluster(kubernetesVersion string, profile *Profile) (*Cluster, error) {
	if kubernetesVersion == "" && profile != nil {
		kubernetesVersion = profile.KubernetesVersion
	}
	c := &Cluster{profile: profile}
	if kubernetesVersion == "" {
		return c, nil
	}
	parsed, err := version.ParseGeneric(kubernetesVersion)
	if err != nil {
		return nil, fmt.Errorf("Kubernetes version %q: %w", kubernetesVersion, err)
	}
	c.minor = fmt.Sprintf("%d.%d", parsed.Major(), parsed.Minor())
	return c, nil
}

// Certain reports whether the cluster's Kubernetes minor is known and its schemas are
// embedded. If not, what depends on the version is a warning against the nearest embedded
// minor, the newest if nothing is known.
func (c *Cluster) Certain() bool { return c.minor != "" }

// Profile returns the profile; nil if there is none.
func (c *Cluster) Profile() *Profile { return c.profile }
