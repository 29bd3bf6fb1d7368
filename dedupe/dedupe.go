// Package dedupe turns the files that placements want below one root into an
// index of their objects, and that into conflicts: who may be written, who is
// held back, and what each clash is. It does no I/O.
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
	// Obstacles are what else is in the way of files; those that are in nobody's
	// way need not be among them.
	Obstacles []Obstacle
	// Allows reports whether a name that is reserved is allowed; nil allows none.
	Allows func(name string) bool
	// Ignored has the files that Flux does not fetch; nil is none.
	Ignored *kustomize.Ignored
	// Policy says what is done about a clash; nothing is Quarantine.
	Policy Policy
	// Cache remembers files that were read before; nil remembers nothing.
	Cache *kustomize.Cache
	// Memory remembers the claims of the last check, so that the next one costs
	// what has changed; nil remembers nothing.
	Memory *Memory
}

// Claim is a placement's want of files.
type Claim struct {
	// Object names the placement's Work, Owner what the Work was made for.
	Object, Owner string
	// Dir is the directory that the placement claims whole. If it is the root,
	// the placement claims just the paths of its files.
	Dir tree.Path
	// Joined means that the files are parts of one file that others have parts
	// of too, so that their path is nobody's. Claims of one file are in the order
	// of their parts.
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

// Verdict says what may be written. It holds until the next check with the same
// Memory.
type Verdict struct {
	// Held has, for each claim that may not be written now, the reason. What
	// such a claim has in the store stays.
	Held map[int]string
	// Files has, for each claim that leaves objects to another that has the
	// same, its wanted files without them.
	Files map[int][]File
	// Shared has, for each claim that is written, what it has in common.
	Shared map[int][]Shared
	// Findings name every clash and every file that cannot be built.
	Findings []finding.Finding
	// decided is how it came about.
	decided *session
}
