package applycheck

import (
	"errors"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Type of a profile as YAML.
const (
	ProfileAPIVersion = "kratix-schedule.io/v1alpha1"
	ProfileKind       = "ClusterProfile"
)

// maxProfile is the maximum size of a profile as YAML. The CustomResourceDefinitions of a
// cluster with many operators take some 10 MiB.
const maxProfile = 64 << 20

// Profile describes a cluster: the kinds that its API server serves, its
// CustomResourceDefinitions and its namespaces.
type Profile struct {
	metav1.TypeMeta `json:",inline"`
	// Name is the Destination that the profile belongs to; may be empty.
	Name string `json:"name,omitempty"`
	// Taken is when the profile was written.
	Taken metav1.Time `json:"taken"`
	// KubernetesVersion is the version of the API server: "v1.35.4".
	KubernetesVersion string `json:"kubernetesVersion"`
	// Kinds are all kinds that the API server serves, in all versions.
	Kinds []ServedKind `json:"kinds"`
	// Definitions are the cluster's CustomResourceDefinitions, each with its name and spec.
	Definitions []apiextensionsv1.CustomResourceDefinition `json:"definitions,omitempty"`
	// Namespaces are the names of the cluster's namespaces.
	Namespaces []string `json:"namespaces"`
}

// ServedKind is a kind that an API server serves.
type ServedKind struct {
	// APIVersion is the group and version: "apps/v1", "v1".
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Namespaced means that objects of the kind have a namespace.
	Namespaced bool `json:"namespaced,omitempty"`
}

// ParseProfile parses a profile as Marshal writes it. Unknown fields are errors.
func ParseProfile(content []byte) (*Profile, error) {
	if len(content) > maxProfile {
		return nil, fmt.Errorf("the profile is %d MiB; %d are read", len(content)>>20, maxProfile>>20)
	}
	p := &Profile{}
	if err := yaml.UnmarshalStrict(content, p); err != nil {
		return nil, err
	}
	if p.APIVersion != ProfileAPIVersion || p.Kind != ProfileKind {
		return nil, fmt.Errorf("it is %q, %q; a profile is %q, %q", p.APIVersion, p.Kind, ProfileAPIVersion, ProfileKind)
	}
	if p.KubernetesVersion == "" || len(p.Kinds) == 0 {
		return nil, errors.New("the profile has no kubernetesVersion or no kinds")
	}
	return p, nil
}

// Marshal returns the profile as YAML.
func (p *Profile) Marshal() ([]byte, error) {
	with := *p
	with.TypeMeta = metav1.TypeMeta{APIVersion: ProfileAPIVersion, Kind: ProfileKind}
	return yaml.Marshal(&with)
}

// Age returns the time from when the profile was taken to now.
func (p *Profile) Age(now time.Time) time.Duration { return now.Sub(p.Taken.Time) }
