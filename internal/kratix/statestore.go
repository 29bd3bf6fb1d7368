package kratix

import (
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// StateStoreReference names a GitStateStore or a BucketStateStore.
type StateStoreReference struct {
	// +required
	// +kubebuilder:validation:Enum=GitStateStore;BucketStateStore
	Kind string `json:"kind"`
	// +required
	Name string `json:"name"`
}

// String returns "GitStateStore default".
func (r StateStoreReference) String() string { return r.Kind + " " + r.Name }

// SecretReference names a Secret; its namespace defaults to "default".
type SecretReference struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// Key returns the Secret's key.
func (r SecretReference) Key() Key {
	if r.Namespace == "" {
		return Key{"default", r.Name}
	}
	return Key{r.Namespace, r.Name}
}

// GitStateStore is a branch of a git repository that files are written to.
//
// +kubebuilder:object:root=true
type GitStateStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GitStateStoreSpec `json:"spec,omitempty"`
	Status StateStoreStatus  `json:"status,omitzero"`
}

// GitStateStoreSpec says where the repository is and how to write to it.
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

// GitAuthor is who commits are by; the name defaults to "kratix".
type GitAuthor struct {
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// BucketStateStore is an S3 bucket that files are written to.
//
// +kubebuilder:object:root=true
type BucketStateStore struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   BucketStateStoreSpec `json:"spec,omitempty"`
	Status StateStoreStatus     `json:"status,omitzero"`
}

// BucketStateStoreSpec says where the bucket is and how to write to it.
type BucketStateStoreSpec struct {
	// +required
	BucketName string `json:"bucketName,omitempty"`
	// Endpoint is a host, with a port if need be, without a scheme.
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

// StateStoreStatus is what the writer says of a store.
type StateStoreStatus struct {
	Status             string             `json:"status,omitempty"`
	Conditions         []metav1.Condition `json:"conditions,omitempty"`
	ObservedGeneration int64              `json:"observedGeneration,omitempty"`
}

// The kinds of state stores.
const (
	GitStateStoreKind    = "GitStateStore"
	BucketStateStoreKind = "BucketStateStore"
)

// KindName returns "GitStateStore".
func (*GitStateStore) KindName() string { return GitStateStoreKind }

// KindName returns "BucketStateStore".
func (*BucketStateStore) KindName() string { return BucketStateStoreKind }

// Secret holds credentials. Nothing that formats, logs or encodes one shows its
// values; Value returns them.
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

// Value returns the value of a key; stringData goes before data, as in the API.
func (s *Secret) Value(key string) (string, bool) {
	if value, ok := s.StringData[key]; ok {
		return value, true
	}
	value, ok := s.Data[key]
	return string(value), ok
}

// String names the Secret and shows nothing that is in it. Like the methods
// below it is one of the value, so that a copy keeps its values in as well.
func (s Secret) String() string {
	return fmt.Sprintf("Secret %s (values not shown)", KeyOf(&s))
}

// GoString is for %#v.
func (s Secret) GoString() string { return s.String() }

// Format is for every other verb of fmt: %x and %d would go past String.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, s.String()) }

// MarshalJSON returns what String does: a Secret is read, and never written. Its
// annotations may repeat its values, so they are left out too.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }

// MarshalYAML is MarshalJSON for libraries that do not go by way of JSON.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
