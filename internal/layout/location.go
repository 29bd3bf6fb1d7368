package layout

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// Location is a directory in a storage. Equal locations have the same files, even if different
// state stores refer to them.
type Location struct {
	// Storage is the first result of kratix.StorageOf.
	Storage string
	Dir     tree.Path
}

// StoreLocation returns the location of a state store. An error means that the store's path is
// invalid.
func StoreLocation(ref kratix.StateStoreReference, spec kratix.Object) (Location, error) {
	storage, path := kratix.StorageOf(ref, spec)
	dir, err := tree.ParseDir(path)
	if err != nil {
		return Location{}, fmt.Errorf("%s: spec.path: %w", ref, err)
	}
	return Location{Storage: storage, Dir: dir}, nil
}

// DestinationLocation returns the location of a Destination's files in a state store, which may be
// another store than the Destination's. An error means that a path is invalid.
func DestinationLocation(d *kratix.Destination, ref kratix.StateStoreReference, spec kratix.Object) (Location, error) {
	base, err := Base(d)
	if err != nil {
		return Location{}, err
	}
	store, err := StoreLocation(ref, spec)
	return store.Join(base), err
}

// Join returns the location of the directory dir in l.
func (l Location) Join(dir tree.Path) Location { return Location{l.Storage, l.Dir.Join(dir)} }

// Overlaps reports whether the locations are equal, or one is in the other.
func (l Location) Overlaps(other Location) bool {
	return l.Storage == other.Storage && (l.Dir.Within(other.Dir) || other.Dir.Within(l.Dir))
}

// String returns the location as "<storage>:<directory>". The directory is empty for the root of
// the storage.
func (l Location) String() string {
	if l.Dir.IsRoot() {
		return l.Storage + ":"
	}
	return l.Storage + ":" + l.Dir.String()
}
