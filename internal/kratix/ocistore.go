package kratix

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// OwnAPIVersion is the API group and version of OCIStateStores and Rollouts.
const OwnAPIVersion = "kratix-schedule.io/v1alpha1"

// APIVersionOf returns the API group and version of a Kratix kind, OCIStateStoreKind or
// RolloutKind.
func APIVersionOf(kind string) string {
	if kind == OCIStateStoreKind || kind == RolloutKind {
		return OwnAPIVersion
	}
	return APIVersion
}

// StateStoreAnnotation is the annotation of a Destination that names its OCIStateStore as
// KIND/NAME. It takes precedence over the spec.
const StateStoreAnnotation = "kratix-schedule.io/state-store"

// OCIStateStoreKind is the kind of an OCIStateStore.
const OCIStateStoreKind = "OCIStateStore"

// OCIStateStore is a part of an OCI registry to which files are written. Each Destination has a
// repository of its own, in which each artifact has all files of the Destination.
//
// +kubebuilder:object:root=true
type OCIStateStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   OCIStateStoreSpec `json:"spec,omitempty"`
	Status StateStoreStatus  `json:"status,omitzero"`
}

// OCIStateStoreSpec configures the registry and its credentials.
type OCIStateStoreSpec struct {
	// URL is oci://REGISTRY/PREFIX. The repository of a Destination is the prefix and the path of
	// the Destination.
	// +required
	// +kubebuilder:validation:Pattern=`^oci://.+$`
	URL string `json:"url,omitempty"`
	// AuthMethod is basicAuth (the default) or tokenFile. With basicAuth, the Secret has the keys
	// username and password, or .dockerconfigjson; without a Secret there are no credentials. With
	// tokenFile, the credentials are in a file of the process that is named after the registry.
	// +kubebuilder:validation:Enum=basicAuth;tokenFile
	// +kubebuilder:default=basicAuth
	AuthMethod string           `json:"authMethod,omitempty"`
	SecretRef  *SecretReference `json:"secretRef,omitempty"`
	// Insecure means plain HTTP.
	Insecure bool `json:"insecure,omitempty"`
	// MediaType is the kind of the layers: flux (the default), or oci, which Argo CD reads without
	// a setting.
	// +kubebuilder:validation:Enum=flux;oci
	// +kubebuilder:default=flux
	MediaType string `json:"mediaType,omitempty"`
	// Keep is the number of artifacts that are kept in each repository; 0 means 10.
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Keep int `json:"keep,omitempty"`
}

// KindName returns "OCIStateStore".
func (*OCIStateStore) KindName() string { return OCIStateStoreKind }

// SecretReference returns the reference to the Secret of the state store, or nil.
func (s *OCIStateStore) SecretReference() *SecretReference { return s.Spec.SecretRef }

// Address returns the URL.
func (s *OCIStateStore) Address() string { return s.Spec.URL }

// Path returns "".
func (*OCIStateStore) Path() string { return "" }

// Reported returns the status.
func (s *OCIStateStore) Reported() StateStoreStatus { return s.Status }

// storage returns the registry, and the prefix of the repositories in it.
func (s *OCIStateStore) storage() (storage, path string) {
	host, prefix, err := ParseOCIURL(s.Spec.URL)
	if err != nil {
		return s.Spec.URL, ""
	}
	return "oci://" + strings.TrimSuffix(host, ":"+defaultPorts()[s.Spec.scheme()]), prefix
}

func (s *OCIStateStoreSpec) scheme() string {
	if s.Insecure {
		return "http"
	}
	return "https"
}

// Patterns of registry hosts and repository names.
var (
	ociHost = regexp.MustCompile(`^([a-z0-9]+([.-][a-z0-9]+)*|\[[0-9a-f:]+\])(:[0-9]{1,5})?$`)
	ociName = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)
)

// maxOCIName is the maximum length of the name of a repository, in bytes.
const maxOCIName = 255

// ParseOCIURL parses oci://REGISTRY/PREFIX. The prefix may be empty. The returned host is in lower
// case.
func ParseOCIURL(url string) (host, prefix string, err error) {
	rest, isOCI := strings.CutPrefix(url, "oci://")
	host, prefix, _ = strings.Cut(rest, "/")
	host, prefix = strings.ToLower(host), strings.TrimSuffix(prefix, "/")
	switch {
	case !isOCI:
		return "", "", errors.New("the URL has another form than oci://REGISTRY/PREFIX")
	case strings.Contains(host, "@"):
		return "", "", errors.New("the URL has a user in it: credentials belong in the Secret")
	case !ociHost.MatchString(host):
		return "", "", fmt.Errorf("%q is not the host of a registry", host)
	case prefix != "":
		err = CheckOCIName(prefix)
	}
	return host, prefix, err
}

// CheckOCIName returns an error if name cannot be the name of a repository.
func CheckOCIName(name string) error {
	switch {
	case name == "":
		return errors.New("the name of the repository is empty: give spec.url a prefix, or the Destination a path")
	case len(name) > maxOCIName:
		return fmt.Errorf("the name of the repository has %d characters, and %d are allowed", len(name), maxOCIName)
	case !ociName.MatchString(name):
		return fmt.Errorf("%q cannot be the name of a repository: use lower-case letters and digits, with single dots, underscores or hyphens between them", name)
	}
	return nil
}

// For returns r for a Destination. In a reference to an OCIStateStore, it sets the directory of the
// Destination.
func (r StateStoreReference) For(d *Destination) StateStoreReference {
	if r.Kind == OCIStateStoreKind {
		r.Dir = cmp.Or(d.Spec.Path, d.Name)
		if dir, err := tree.ParseDir(r.Dir); err == nil {
			r.Dir = dir.String()
		}
		if r.Dir == "." {
			r.Dir = ""
		}
	}
	return r
}

// ParseStateStoreReference parses KIND/NAME, and reports whether text refers to a state store.
func ParseStateStoreReference(text string) (StateStoreReference, bool) {
	kind, name, _ := strings.Cut(text, "/")
	if !IsStateStoreKind(kind) || name == "" || strings.ContainsAny(name, "/ \t\r\n") {
		return StateStoreReference{}, false
	}
	return StateStoreReference{Kind: kind, Name: name}, true
}

// UseNamedStore sets the state store in the spec to the OCIStateStore in StateStoreAnnotation, if
// there is one, and completes the reference with For.
func (d *Destination) UseNamedStore() {
	if ref, ok := ParseStateStoreReference(d.Annotations[StateStoreAnnotation]); ok && ref.Kind == OCIStateStoreKind {
		d.Spec.StateStoreRef = &ref
	}
	if d.Spec.StateStoreRef != nil {
		ref := d.Spec.StateStoreRef.For(d)
		d.Spec.StateStoreRef = &ref
	}
}
