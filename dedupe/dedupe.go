// Package dedupe indexes the objects in the files that placements want below one root, and returns
// a verdict: which placements are written, which are quarantined, and the conflicts. It does no
// I/O.
//
// The stages of [Check] are functions, each in its own file. Each stage converts one type to the
// next:
//
//	Root ─▶ rootIndex ─▶ parsed ─▶ admission ⇄ confirmation ─▶ Verdict
//	        rootIndex.update   parse     admit       confirm          report
//
// Most checks end with the rootIndex: if nothing in it conflicts, everything is written.
package dedupe

import (
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Root is a directory that Flux builds as a whole.
type Root struct {
	Path tree.Path
	// Claims are the placements that have or want files here.
	Claims []Claim
	// Foreign are files that belong to no placement.
	Foreign []File
	// Obstacles are entries of the store that are neither files nor directories.
	Obstacles []Obstacle
	// Allows reports whether a reserved name is allowed. If it is nil, none is allowed.
	Allows func(name string) bool
	// Ignored are the files that Flux does not fetch. They may be nil.
	Ignored *kustomize.Ignored
	// Policy is the action for a conflict. An empty Policy means Quarantine.
	Policy Policy
	// Cache caches parsed files. A nil Cache caches nothing.
	Cache *kustomize.Cache
	// CheckCache contains the index of the last check. A nil CheckCache is the same as an empty
	// one.
	CheckCache *CheckCache
}

// Claim is a placement that asks for files.
type Claim struct {
	// Object names the placement's Work. Owner names the request or Promise of the Work.
	Object, Owner string
	// Dir is the directory that belongs to the placement as a whole. If it is the zero Path, the
	// placement claims the paths of its files instead.
	Dir tree.Path
	// Joined means that the files are parts of joined files. Claims on the same joined file are in
	// the order of their parts.
	Joined bool
	// Wanted are the files that the placement would write. Stored are its files in the store.
	Wanted, Stored []File
	// Applied are the files that the cluster has. They are nil if they are not known, or equal the
	// stored files.
	Applied []File
	// Kept means that the placement is not written in this round: it keeps its stored files.
	Kept bool
	// Shared are the objects that the placement shared with others when it was last written.
	Shared []Shared
	// Rank determines which claim takes precedence in a conflict.
	Rank Rank
}

func (c *Claim) intended() []File {
	if c.Kept {
		return c.Stored
	}
	return c.Wanted
}

// File is a file with its place for findings.
type File struct {
	tree.File
	Place finding.Place
}

// Rank orders claims by creation time, then by name. A claim with stored files takes precedence
// over new ones.
type Rank struct {
	Created time.Time
	Name    string
}

// Obstacle is something in the store that is neither a file nor a directory, and
// that belongs to no placement.
type Obstacle struct {
	Path tree.Path
	// Kind is a description for messages: "a symlink".
	Kind  string
	Place finding.Place
}

// Shared is an object that several placements ask for and that is in the files of one of them.
type Shared struct {
	Object kustomize.ID
	// Owners are the names of these placements, sorted.
	Owners []string
}

// Verdict is the result of a check: which claims may be written. It is valid until the next
// check with the same CheckCache. The keys of its maps are positions in Root.Claims.
type Verdict struct {
	// Quarantined maps each quarantined claim to the reason.
	Quarantined map[int]string
	// Files contains, for each claim with objects that another claim writes, the wanted files
	// without these objects.
	Files map[int][]File
	// Shared contains, for each claim, the objects that it shares with others.
	Shared map[int][]Shared
	// Findings are about conflicts, files that cannot be built, and other problems of the files.
	Findings []finding.Finding
	decided  *decision
}

type decision struct {
	root   *Root
	index  *index
	claims []claimEntries
	// trivial means that nothing conflicted, so there was nothing to decide.
	trivial bool
}
