package applycheck

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

// Cluster describes the API server of a Destination. It is immutable and safe for concurrent
// use; make one with NewCluster, and use it in every round until the version or the profile
// changes. The zero Cluster is an unknown one.
type Cluster struct {
	// minor is the minor version of the API server; empty if it is not known.
	minor string
	// checked is the embedded minor to check against; empty is the newest.
	checked string
	profile *Profile
	served  map[schema.GroupVersionKind]ServedKind
	spaces  map[string]bool
}

// NewCluster returns the description of an API server. kubernetesVersion is its version, as
// "1.35", "v1.35" or "v1.35.4-gke.1", or empty if it is not known; the profile may be nil. An
// empty kubernetesVersion stands for the profile's. A version whose minor is not embedded is not
// certain: see Certain. The error is about a version that cannot be parsed.
func NewCluster(kubernetesVersion string, profile *Profile) (*Cluster, error) {
	c := &Cluster{profile: profile}
	if profile != nil {
		if kubernetesVersion == "" {
			kubernetesVersion = profile.KubernetesVersion
		}
		c.served, c.spaces = map[schema.GroupVersionKind]ServedKind{}, map[string]bool{}
		for _, kind := range profile.Kinds {
			c.served[schema.FromAPIVersionAndKind(kind.APIVersion, kind.Kind)] = kind
		}
		for _, name := range profile.Namespaces {
			c.spaces[name] = true
		}
	}
	if kubernetesVersion == "" {
		return c, nil
	}
	parsed, err := version.ParseGeneric(kubernetesVersion)
	if err != nil {
		return nil, fmt.Errorf("the Kubernetes version %q is invalid: %w", kubernetesVersion, err)
	}
	minors, err := schemas.Minors()
	if err != nil {
		return nil, err
	}
	c.checked = nearest(minors, parsed)
	if minor := minorOf(parsed); minor == c.checked {
		c.minor = minor
	}
	return c, nil
}

func minorOf(v *version.Version) string { return fmt.Sprintf("%d.%d", v.Major(), v.Minor()) }

// nearest returns the minor of a version if it is embedded, else the one nearest to it.
func nearest(minors []string, v *version.Version) string {
	if slices.Contains(minors, minorOf(v)) {
		return minorOf(v)
	}
	if oldest, err := version.ParseGeneric(minors[0]); err == nil && v.LessThan(oldest) {
		return minors[0]
	}
	return minors[len(minors)-1]
}

// Certain reports whether the cluster's Kubernetes minor is known and its schemas are embedded.
// Otherwise a fault that depends on the version is a warning against the nearest embedded minor,
// or the newest if nothing is known.
func (c *Cluster) Certain() bool { return c.minor != "" }

// isDescribed reports whether anything is known of the cluster: its version or a profile.
func (c *Cluster) isDescribed() bool { return c.checked != "" || c.profile != nil }

// Checked returns the embedded minor that objects are checked against: "1.36".
func (c *Cluster) Checked() string {
	if c.checked != "" {
		return c.checked
	}
	minors, err := schemas.Minors()
	if err != nil {
		return ""
	}
	return minors[len(minors)-1]
}

// Profile returns the profile; nil if there is none.
func (c *Cluster) Profile() *Profile { return c.profile }

// schemas returns the embedded minor that objects are checked against.
func (c *Cluster) schemas() (*schemas.Minor, error) { return schemas.Load(c.Checked()) }
