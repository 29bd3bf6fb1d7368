package kratix

import (
	"slices"
	"strings"
)

// StateStore is an object that describes a state store: a GitStateStore, a BucketStateStore or an
// OCIStateStore.
//
// +kubebuilder:object:generate=false
type StateStore interface {
	Object
	// SecretReference returns the reference to the Secret with the credentials, or nil.
	SecretReference() *SecretReference
	// Address returns the URL of the repository, bucket or registry. It may contain credentials.
	Address() string
	// Path returns the path of the store in the repository or bucket.
	Path() string
	// Reported returns the status.
	Reported() StateStoreStatus
	GetGeneration() int64
	storage() (storage, path string)
}

// StateStores are the state stores of an input, by kind.
//
// +kubebuilder:object:generate=false
type StateStores struct {
	GitStateStores    []*GitStateStore
	BucketStateStores []*BucketStateStore
	OCIStateStores    []*OCIStateStore
}

// All returns the state stores of all kinds, one kind after the other.
func (s *StateStores) All() []StateStore {
	all := make([]StateStore, 0, len(s.GitStateStores)+len(s.BucketStateStores)+len(s.OCIStateStores))
	for _, store := range s.GitStateStores {
		all = append(all, store)
	}
	for _, store := range s.BucketStateStores {
		all = append(all, store)
	}
	for _, store := range s.OCIStateStores {
		all = append(all, store)
	}
	return all
}

// Find returns the state store that ref refers to, or nil if there is none.
func (s *StateStores) Find(ref StateStoreReference) StateStore {
	all := s.All()
	if i := slices.IndexFunc(all, func(store StateStore) bool { return ReferenceTo(store) == ref.Object() }); i >= 0 {
		return all[i]
	}
	return nil
}

// StateStoreKinds returns the kinds of state stores.
func StateStoreKinds() []string {
	return []string{GitStateStoreKind, BucketStateStoreKind, OCIStateStoreKind}
}

// IsStateStoreKind reports whether a kind is that of a state store.
func IsStateStoreKind(kind string) bool { return slices.Contains(StateStoreKinds(), kind) }

// ReferenceTo returns the reference to the object of a state store.
func ReferenceTo(store StateStore) StateStoreReference {
	return StateStoreReference{Kind: store.KindName(), Name: store.GetName()}
}

// SecretReference returns the reference to the Secret of the state store, or nil.
func (s *GitStateStore) SecretReference() *SecretReference { return s.Spec.SecretRef }

// Address returns the URL.
func (s *GitStateStore) Address() string { return s.Spec.URL }

// Path returns the path of the store in the repository.
func (s *GitStateStore) Path() string { return s.Spec.Path }

// Reported returns the status.
func (s *GitStateStore) Reported() StateStoreStatus { return s.Status }

// SecretReference returns the reference to the Secret of the state store, or nil.
func (s *BucketStateStore) SecretReference() *SecretReference { return s.Spec.SecretRef }

// Address returns the bucket and the prefix as s3://BUCKET/PREFIX.
func (s *BucketStateStore) Address() string {
	return strings.TrimSuffix("s3://"+s.Spec.BucketName+"/"+strings.Trim(s.Spec.Path, "/"), "/")
}

// Path returns the prefix of the store in the bucket.
func (s *BucketStateStore) Path() string { return s.Spec.Path }

// Reported returns the status.
func (s *BucketStateStore) Reported() StateStoreStatus { return s.Status }
