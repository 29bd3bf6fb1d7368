// Package dedupe turns the files that placements want below one root into an
// index of their objects, and that into a verdict: which placements are written,
// which are quarantined, and every conflict. It does no I/O.
//
// The stages of [Check], each a function in a file of its own from one type to the next:
//
//	Root ─▶ rootIndex ─▶ parsed ─▶ admission ⇄ confirmation ─▶ Verdict
//	       CheckCache.update   parse     admit       confirm          report
//
// Most checks end at the rootIndex: if nothing in it conflicts, everything is written.
package dedupe

import (
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Root is a directory that Flux builds as one, with everything in it.
type Root struct {
	Path tree.Path
	// Claims are the placements that have, or want, files here.
	Claims []Claim
	// Foreign are files that belong to no placement.
	Foreign []File
	// Obstacles are neither files nor directories; those that no wanted file collides
	// with may be left out.
	Obstacles []Obstacle
	// Allows reports whether a name that is reserved is allowed; nil allows none.
	Allows func(name string) bool
	// Ignored has the files that Flux does not fetch; nil is none.
	Ignored *kustomize.Ignored
	// Policy says what is done about a conflict; empty is Quarantine.
	Policy Policy
	// Cache has files that were parsed before; nil caches nothing.
	Cache *kustomize.Cache
	// CheckCache has the index of the last check, so that the next one costs what has
	// changed; nil starts with an empty index.
	CheckCache *CheckCache
}

// Claim is a placement that asks for files.
type Claim struct {
	// Object names the placement's Work, Owner what the Work was made for.
	Object, Owner string
	// Dir is the directory that the placement claims whole. If it is the root,
	// the placement claims just the paths of its files.
	Dir tree.Path
	// Joined means that the files are parts of one file that others have parts
	// of too, so that no claim has their path to itself. Claims of one file are in
	// the order of their parts.
	Joined bool
	// Wanted is what the placement would write; Stored what it has in the store
	// now, nothing for a new one.
	Wanted, Stored []File
	// Kept means that the placement is not written in this round: it keeps what
	// it has stored.
	Kept bool
	// Shared are the objects that the placement had in common with others when
	// it was last written.
	Shared []Shared
	// Rank says who goes first in a conflict.
	Rank Rank
}

// intended returns the files that a claim has after the round if nothing conflicts.
func (c *Claim) intended() []File {
	if c.Kept {
		return c.Stored
	}
	return c.Wanted
}

// File is a file and the place that findings name for it.
type File struct {
	tree.File
	Place finding.Place
}

// Rank orders claims: the one that was created first, then by name. Files in
// the store already go before every claim to new ones.
type Rank struct {
	Created time.Time
	Name    string
}

// Obstacle is something in the store that is neither a file nor a directory, and
// that belongs to no placement.
type Obstacle struct {
	Path tree.Path
	// Kind names what it is: "a symlink".
	Kind  string
	Place finding.Place
}

// Shared is an object that several placements want and one has in its files.
type Shared struct {
	Object kustomize.ID
	// Owners names all of them, in order.
	Owners []string
}

// Verdict says what may be written. It holds until the next check with the same
// CheckCache.
type Verdict struct {
	// Quarantined has the reason for each claim that is quarantined. What such a claim has in
	// the store stays.
	Quarantined map[int]string
	// Files has, for each claim that leaves objects to another that has the
	// same, its wanted files without them.
	Files map[int][]File
	// Shared has, for each claim that is written, the objects in common with others.
	Shared map[int][]Shared
	// Findings name every conflict and every file that cannot be built.
	Findings []finding.Finding
	decided  *decision
}

// decision is what CheckCluster needs of a check.
type decision struct {
	root *Root
	// index is the index of the root after the verdict is applied.
	index  *index
	claims []claimEntries
	// trivial means that nothing conflicted, so that there was nothing to decide.
	trivial bool
}
