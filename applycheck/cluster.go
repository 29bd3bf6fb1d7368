package applycheck

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/version"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

// Cluster describes the API server of a Destination. It is immutable and safe for concurrent use.
// The zero Cluster describes an unknown API server.
type Cluster struct {
	// minor is the minor version of the API server. It is empty if the version is not known,
	// differs from that of the profile, or has no embedded schemas.
	minor string
	// checked is the embedded minor that objects are checked against, or empty for the newest.
	checked string
	profile *profile.Profile
	sources []*source
	// disputed means that the given version and the profile have different minors.
	disputed bool
}

// NewCluster returns the description of an API server. The version, such as "1.35" or
// "v1.35.4-gke.1", is empty if it is not known, and the profile is nil if there is none. NewCluster
// returns an error if a version cannot be parsed.
func NewCluster(kubernetesVersion string, of *profile.Profile) (*Cluster, error) {
	c := &Cluster{profile: of, sources: profileSources(of)}
	parsed, err := parseVersion(kubernetesVersion)
	if err != nil {
		return nil, err
	}
	if of != nil {
		measured, err := parseVersion(of.KubernetesVersion)
		if err != nil {
			return nil, err
		}
		c.disputed = parsed != nil && minorOf(parsed) != minorOf(measured)
		parsed = measured
	}
	if parsed == nil {
		return c, nil
	}
	minors, err := schemas.Minors()
	if err != nil {
		return nil, err
	}
	c.checked = nearest(minors, parsed)
	if minor := minorOf(parsed); minor == c.checked && !c.disputed {
		c.minor = minor
	}
	return c, nil
}

func parseVersion(text string) (*version.Version, error) {
	if text == "" {
		return nil, nil
	}
	parsed, err := version.ParseGeneric(text)
	if err != nil {
		return nil, fmt.Errorf("the Kubernetes version %q is invalid: %w", text, err)
	}
	return parsed, nil
}

func minorOf(v *version.Version) string { return fmt.Sprintf("%d.%d", v.Major(), v.Minor()) }

func nearest(minors []string, v *version.Version) string {
	if slices.Contains(minors, minorOf(v)) {
		return minorOf(v)
	}
	if oldest, err := version.ParseGeneric(minors[0]); err == nil && v.LessThan(oldest) {
		return minors[0]
	}
	return minors[len(minors)-1]
}

// Certain reports whether the cluster's Kubernetes minor is known and undisputed, and its schemas
// are embedded.
func (c *Cluster) Certain() bool { return c.minor != "" }

func (c *Cluster) isDescribed() bool { return c.checked != "" || c.profile != nil }

// Checked returns the embedded minor that objects are checked against, such as "1.36".
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

// Profile returns the profile of the cluster, or nil if there is none.
func (c *Cluster) Profile() *profile.Profile { return c.profile }

// Disputed reports whether the profile has another minor than the version passed to NewCluster.
func (c *Cluster) Disputed() bool { return c.disputed }

// hasAll reports whether there is a profile that is not disputed.
func (c *Cluster) hasAll() bool { return c.profile != nil && !c.disputed }

// lists reports whether the profile certainly has all served kinds of a group.
func (c *Cluster) lists(group string) bool { return c.hasAll() && c.profile.Lists(group) }

func (c *Cluster) schemas() (*schemas.Minor, error) { return schemas.Load(c.Checked()) }
