// Package profile defines the profile of a Destination's cluster: the kinds that its API server
// serves, its CustomResourceDefinitions, its namespaces and its version. A profile is a YAML file
// beside the Destinations, or a ConfigMap. The package does no I/O.
package profile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/version"
	sigsjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"
)

// The API group, version and kind of a profile.
const (
	Group      = "kratix-schedule.io"
	APIVersion = Group + "/v1alpha1"
	Kind       = "ClusterProfile"
)

// MaxSize is the maximum size of a profile as JSON or YAML, in bytes.
const MaxSize = 64 << 20

// Profile describes the cluster of a Destination. A Profile must be normalized before use, and must
// not be modified afterwards.
type Profile struct {
	metav1.TypeMeta `json:",inline"`
	// ObjectMeta contains the name of the Destination that the profile belongs to.
	metav1.ObjectMeta `json:"metadata"`
	// Taken is the time at which the cluster was read.
	Taken metav1.Time `json:"taken"`
	// KubernetesVersion is the version of the API server, such as "v1.35.4".
	KubernetesVersion string `json:"kubernetesVersion"`
	// Unread are the groups that the API server could not list.
	Unread []UnreadGroup `json:"unread,omitempty"`
	// Kinds are the served kinds, in each served version.
	Kinds []ServedKind `json:"kinds"`
	// Namespaces are the names of the cluster's namespaces.
	Namespaces []string `json:"namespaces"`
	// Definitions are the cluster's CustomResourceDefinitions.
	Definitions []Definition `json:"definitions,omitempty"`
}

// ServedKind is a kind that an API server serves.
type ServedKind struct {
	// APIVersion is the group and version: "apps/v1", "v1".
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// Namespaced means that objects of the kind have a namespace.
	Namespaced bool `json:"namespaced,omitempty"`
}

func compareKinds(a, b ServedKind) int {
	if c := strings.Compare(a.APIVersion, b.APIVersion); c != 0 {
		return c
	}
	return strings.Compare(a.Kind, b.Kind)
}

// UnreadGroup is an API group that an API server could not list.
type UnreadGroup struct {
	Group string `json:"group"`
	// Reason is the error of the API server.
	Reason string `json:"reason,omitempty"`
}

// KindName returns "ClusterProfile".
func (*Profile) KindName() string { return Kind }

// Marshal returns a normalized profile as YAML.
func (p *Profile) Marshal() ([]byte, error) {
	text, err := p.marshalJSON()
	if err != nil {
		return nil, err
	}
	return yaml.JSONToYAML(text)
}

func (p *Profile) marshalJSON() ([]byte, error) {
	text, err := json.Marshal(p)
	if err == nil && len(text) > MaxSize {
		return nil, tooLarge(len(text))
	}
	return text, err
}

func tooLarge(size int) error {
	return fmt.Errorf("the profile has %d MiB, more than the %d that are read", size>>20, MaxSize>>20)
}

// Parse parses a profile in YAML, the format of Marshal.
func Parse(content []byte) (*Profile, error) {
	if len(content) > MaxSize {
		return nil, tooLarge(len(content))
	}
	text, err := yaml.YAMLToJSONStrict(content)
	if err != nil {
		return nil, err
	}
	return ParseJSON(text)
}

// ParseJSON parses a profile in JSON. Unknown fields are errors.
func ParseJSON(content []byte) (*Profile, error) {
	if len(content) > MaxSize {
		return nil, tooLarge(len(content))
	}
	p := &Profile{}
	strict, err := sigsjson.UnmarshalStrict(content, p)
	if err != nil {
		return nil, err
	}
	if len(strict) > 0 {
		return nil, plain(strict[0])
	}
	if p.APIVersion != APIVersion || p.Kind != Kind {
		return nil, fmt.Errorf("it is a %q of %q; a profile is a %q of %q", p.Kind, p.APIVersion, Kind, APIVersion)
	}
	if err := p.Normalize(); err != nil {
		return nil, err
	}
	return p, nil
}

// Normalize sorts the profile's lists, as the other methods require, and removes all metadata
// except the name. It returns an error if a value is missing or invalid.
func (p *Profile) Normalize() error {
	p.TypeMeta, p.ObjectMeta = metav1.TypeMeta{APIVersion: APIVersion, Kind: Kind}, metav1.ObjectMeta{Name: p.Name}
	if err := p.check(); err != nil {
		return err
	}
	slices.SortFunc(p.Kinds, compareKinds)
	p.Kinds = slices.Clip(slices.CompactFunc(p.Kinds, func(a, b ServedKind) bool { return compareKinds(a, b) == 0 }))
	slices.Sort(p.Namespaces)
	p.Namespaces = slices.Clip(slices.Compact(p.Namespaces))
	slices.SortStableFunc(p.Definitions, func(a, b Definition) int { return strings.Compare(a.Name, b.Name) })
	slices.SortStableFunc(p.Unread, func(a, b UnreadGroup) int { return strings.Compare(a.Group, b.Group) })
	return nil
}

func plain(err error) error {
	text := strings.Join(strings.Fields(err.Error()), " ")
	return errors.New(strings.TrimPrefix(text, "json: "))
}

func (p *Profile) check() error {
	switch {
	case p.Name == "":
		return errors.New("metadata.name is missing: the name of the Destination")
	case p.Taken.IsZero():
		return errors.New("taken is missing: the time at which the cluster was read")
	case p.KubernetesVersion == "":
		return errors.New("kubernetesVersion is missing")
	case len(p.Kinds) == 0:
		return errors.New("kinds are missing: every API server serves some")
	case len(p.Namespaces) == 0:
		return errors.New("namespaces are missing: every cluster has some")
	}
	if _, err := version.ParseGeneric(p.KubernetesVersion); err != nil {
		return fmt.Errorf("kubernetesVersion: %w", err)
	}
	for i := range p.Definitions {
		if err := p.Definitions[i].parse(); err != nil {
			return fmt.Errorf("definitions[%d] (%s): %w", i, p.Definitions[i].Name, err)
		}
	}
	return nil
}

// Age returns the age of the profile at a time, or 0 if the profile was taken later.
func (p *Profile) Age(now time.Time) time.Duration { return max(0, now.Sub(p.Taken.Time)) }

// Served returns a kind, and reports whether the API server serves it.
func (p *Profile) Served(gvk schema.GroupVersionKind) (ServedKind, bool) {
	i, found := slices.BinarySearchFunc(p.Kinds, ServedKind{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind}, compareKinds)
	if !found {
		return ServedKind{}, false
	}
	return p.Kinds[i], true
}

// HasNamespace reports whether the cluster has a namespace.
func (p *Profile) HasNamespace(name string) bool {
	_, found := slices.BinarySearch(p.Namespaces, name)
	return found
}

// Lists reports whether the API server could list the kinds of a group.
func (p *Profile) Lists(group string) bool {
	return !slices.ContainsFunc(p.Unread, func(u UnreadGroup) bool { return u.Group == group })
}

// Equal reports whether two profiles have the same content.
func (p *Profile) Equal(other *Profile) bool {
	return p.Name == other.Name && p.Taken.Equal(&other.Taken) && p.KubernetesVersion == other.KubernetesVersion &&
		slices.Equal(p.Unread, other.Unread) && slices.Equal(p.Kinds, other.Kinds) && slices.Equal(p.Namespaces, other.Namespaces) &&
		slices.EqualFunc(p.Definitions, other.Definitions, func(a, b Definition) bool { return a.Name == b.Name && a.Spec == b.Spec })
}

// canonical returns a JSON value with sorted keys and no spaces.
func canonical(text []byte) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	return json.Marshal(value)
}
