package applycheck

import (
	"cmp"
	"strconv"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// claimKey names a claim of a root from check to check.
type claimKey struct {
	root tree.Path
	name string
}

// claimState is what is known of a claim whose files have not changed since the last check.
type claimState struct {
	claimFiles
	// opaque means that a file of it is a kustomization.
	opaque bool
	// wantedFiles and storedFiles are those that were read.
	wantedFiles, storedFiles []dedupe.File
	// faults are those of each wanted file by the first step, if they were checked against
	// checked.
	faults  [][]fault
	checked *checkedAgainst
}

// checkedAgainst is what faults depend on besides the files themselves.
type checkedAgainst struct {
	cluster     *Cluster
	definitions digest
}

// state returns the state of a claim, read again if its files have changed.
func (c *check) state(root *dedupe.Root, i int) *claimState {
	claim := &root.Claims[i]
	key := claimKey{root.Path, cmp.Or(claim.Rank.Name, strconv.Itoa(i))}
	wanted := claim.Wanted
	if claim.Kept {
		wanted = claim.Stored
	}
	s := c.Memory.claims[key]
	if s == nil || !sameFiles(s.wantedFiles, wanted) || !sameFiles(s.storedFiles, claim.Stored) {
		s = &claimState{wantedFiles: wanted, storedFiles: claim.Stored}
		s.stored = c.read(root, claim.Stored, &s.opaque)
		s.wanted = s.stored
		if !claim.Kept {
			s.wanted = c.read(root, wanted, &s.opaque)
		}
	}
	c.seen[key] = s
	return s
}

// sameFiles reports whether two lists have the same files, with the very same contents.
func sameFiles(a, b []dedupe.File) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := &a[i], &b[i]
		if len(x.Content) != len(y.Content) || len(x.Content) > 0 && &x.Content[0] != &y.Content[0] || x.Path != y.Path || x.Place != y.Place {
			return false
		}
	}
	return true
}
