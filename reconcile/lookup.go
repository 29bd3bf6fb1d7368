package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// lookup finds the objects of a snapshot by name.
type lookup struct {
	stores   map[kratix.StateStoreReference]*storeView
	specs    map[kratix.StateStoreReference]spec
	secrets  map[kratix.Key]*kratix.Secret
	profiles map[string]*profile.Profile
	// reported are the objects about which the source has a finding.
	reported map[string]bool
}

type spec struct {
	object kratix.Object
	secret *kratix.SecretReference
}

// newLookup returns the lookup of a snapshot, without stores.
func newLookup(snapshot source.Snapshot) lookup {
	l := lookup{
		stores: map[kratix.StateStoreReference]*storeView{}, specs: map[kratix.StateStoreReference]spec{},
		secrets: map[kratix.Key]*kratix.Secret{}, profiles: map[string]*profile.Profile{}, reported: map[string]bool{},
	}
	for _, store := range snapshot.StateStores.All() {
		l.addSpec(store)
	}
	for _, secret := range snapshot.Secrets {
		if key := kratix.KeyOf(secret); l.secrets[key] == nil {
			l.secrets[key] = secret
		}
	}
	for _, p := range snapshot.Profiles {
		l.profiles[p.Name] = p
	}
	for _, f := range snapshot.Findings {
		l.reported[f.Place.Object] = true
	}
	return l
}

func (l *lookup) addSpec(store kratix.StateStore) {
	ref := kratix.ReferenceTo(store)
	if _, taken := l.specs[ref]; !taken {
		l.specs[ref] = spec{store, store.SecretReference()}
	}
}

// lacks reports whether a reference names a missing Secret. A Secret about which the source has a
// finding is not missing.
func (l *lookup) lacks(ref *kratix.SecretReference) bool {
	return ref != nil && l.secret(ref) == nil && !l.reported[kratix.SecretKind+" "+ref.Key().String()]
}

func (l *lookup) spec(ref kratix.StateStoreReference) (kratix.Object, *kratix.SecretReference) {
	found := l.specs[ref.Object()]
	return found.object, found.secret
}

// secret returns the Secret that a reference names, or nil.
func (l *lookup) secret(ref *kratix.SecretReference) *kratix.Secret {
	if ref == nil {
		return nil
	}
	return l.secrets[ref.Key()]
}
