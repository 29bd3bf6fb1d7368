package kratix

import (
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StateStoreReference refers to a GitStateStore, a BucketStateStore or an OCIStateStore.
type StateStoreReference struct {
	// +required
	// +kubebuilder:validation:Enum=GitStateStore;BucketStateStore
	Kind string `json:"kind"`
	// +required
	Name string `json:"name"`
	// Dir is the directory of a Destination, in a reference from this Destination to an
	// OCIStateStore. Otherwise it is empty.
	Dir string `json:"-"`
}

// String returns the kind, the name and the directory, such as "GitStateStore default" or
// "OCIStateStore fleet/worker-1".
func (r StateStoreReference) String() string {
	if r.Dir != "" {
		return r.Kind + " " + r.Name + "/" + r.Dir
	}
	return r.Kind + " " + r.Name
}

// ObjectOf returns the object of a reference in the form of String: "OCIStateStore fleet" for
// "OCIStateStore fleet/worker-1".
func ObjectOf(reference string) string {
	object, _, _ := strings.Cut(reference, "/")
	return object
}

// Object returns the reference to the object, without the directory of a Destination.
func (r StateStoreReference) Object() StateStoreReference {
	return StateStoreReference{Kind: r.Kind, Name: r.Name}
}

// SecretReference refers to a Secret; its namespace defaults to "default".
type SecretReference struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// Key returns the key of the Secret.
func (r SecretReference) Key() Key {
	if r.Namespace == "" {
		return Key{"default", r.Name}
	}
	return Key{r.Namespace, r.Name}
}

// GitStateStore is a branch of a git repository to which files are written.
//
// +kubebuilder:object:root=true
type GitStateStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GitStateStoreSpec `json:"spec,omitempty"`
	Status StateStoreStatus  `json:"status,omitzero"`
}

// GitStateStoreSpec configures the repository and its credentials.
type GitStateStoreSpec struct {
	URL string `json:"url,omitempty"`
	// Branch defaults to "main".
	// +kubebuilder:default=main
	Branch string `json:"branch,omitempty"`
	Path   string `json:"path,omitempty"`
	// AuthMethod is basicAuth (the default), ssh or githubApp.
	// +kubebuilder:validation:Enum=basicAuth;ssh;githubApp
	// +kubebuilder:default=basicAuth
	AuthMethod string           `json:"authMethod,omitempty"`
	SecretRef  *SecretReference `json:"secretRef,omitempty"`
	// +kubebuilder:default={name: kratix}
	GitAuthor GitAuthor `json:"gitAuthor,omitzero"`
	// Insecure leaves the server's certificate unverified.
	Insecure bool `json:"insecure,omitempty"`
}

// GitAuthor is the author of commits; the name defaults to "kratix".
type GitAuthor struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// BucketStateStore is an S3 bucket to which files are written.
//
// +kubebuilder:object:root=true
type BucketStateStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   BucketStateStoreSpec `json:"spec,omitempty"`
	Status StateStoreStatus     `json:"status,omitzero"`
}

// BucketStateStoreSpec configures the bucket and its credentials.
type BucketStateStoreSpec struct {
	// +required
	BucketName string `json:"bucketName,omitempty"`
	// Endpoint is a host without a scheme, optionally with a port.
	// +required
	Endpoint string `json:"endpoint,omitempty"`
	// Insecure means plain HTTP.
	Insecure     bool   `json:"insecure,omitempty"`
	UseDualStack bool   `json:"useDualStack,omitempty"`
	Path         string `json:"path,omitempty"`
	// AuthMethod is accessKey (the default) or IAM.
	// +kubebuilder:validation:Enum=accessKey;IAM
	// +kubebuilder:default=accessKey
	AuthMethod string           `json:"authMethod,omitempty"`
	SecretRef  *SecretReference `json:"secretRef,omitempty"`
}

// StateStoreStatus is the status that the writer sets.
type StateStoreStatus struct {
	Status             string             `json:"status,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
}

// The kinds of Kratix's own state stores.
const (
	GitStateStoreKind    = "GitStateStore"
	BucketStateStoreKind = "BucketStateStore"
)

// KindName returns "GitStateStore".
func (*GitStateStore) KindName() string { return GitStateStoreKind }

// KindName returns "BucketStateStore".
func (*BucketStateStore) KindName() string { return BucketStateStoreKind }

// Secret is a Kubernetes Secret. Formatting or encoding it does not show the values.
//
// +kubebuilder:object:root=true
type Secret struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Type       string            `json:"type,omitempty"`
	Immutable  *bool             `json:"immutable,omitempty"`
	Data       map[string][]byte `json:"data,omitempty"`
	StringData map[string]string `json:"stringData,omitempty"`
}

// SecretKind is the kind of a Secret.
const SecretKind = "Secret"

// KindName returns "Secret".
func (*Secret) KindName() string { return SecretKind }

// Value returns the value of a key, and reports whether there is one. As in the API, stringData
// takes precedence over data.
func (s *Secret) Value(key string) (string, bool) {
	if value, ok := s.StringData[key]; ok {
		return value, true
	}
	value, ok := s.Data[key]
	return string(value), ok
}

// String returns the name of the Secret without its values.
func (s Secret) String() string {
	return fmt.Sprintf("Secret %s (values not shown)", KeyOf(&s))
}

// GoString implements fmt.GoStringer for %#v.
func (s Secret) GoString() string { return s.String() }

// Format implements fmt.Formatter, because not all verbs call String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// MarshalJSON returns the text of String as JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalYAML returns the text of String, for libraries that do not use MarshalJSON.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
