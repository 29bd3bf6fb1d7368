package reconcile

import (
	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// lookup finds the state stores and Secrets of a snapshot by name, so that opening many stores
// takes linear time.
type lookup struct {
	stores   map[kratix.StateStoreReference]*storeView
	specs    map[kratix.StateStoreReference]spec
	secrets  map[kratix.Key]*kratix.Secret
	profiles map[string]*profile.Profile
	// reported is the set of objects for which the source has reported a finding.
	reported map[string]bool
}

type spec struct {
	object kratix.Object
	secret *kratix.SecretReference
}

// newLookup returns the lookup of a snapshot, without stores. If several state stores or Secrets
// have the same name, the first one counts.
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

// lacks reports whether a store names a missing Secret. A Secret that exists and cannot be read
// does not count, because the source has reported it.
func (l *lookup) lacks(ref *kratix.SecretReference) bool {
	return ref != nil && l.secret(ref) == nil && !l.reported[kratix.SecretKind+" "+ref.Key().String()]
}

func (l *lookup) spec(ref kratix.StateStoreReference) (kratix.Object, *kratix.SecretReference) {
	found := l.specs[ref.Object()]
	return found.object, found.secret
}

// secret returns the Secret that a store names. It returns nil if the store names none, or the
// Secret is missing.
func (l *lookup) secret(ref *kratix.SecretReference) *kratix.Secret {
	if ref == nil {
		return nil
	}
	return l.secrets[ref.Key()]
}
