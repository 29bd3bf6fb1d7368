// Package applycheck decides which placements the API server of a Destination would refuse
// when Flux applies them. Flux applies each stage of a root all or nothing: it dry-runs the
// objects of the stage, and applies none of them if the API server refuses one. The package
// does no I/O and reads no clock.
//
// The check has two steps, with dedupe.Check in between:
//
//	CheckClaims   the faults of the objects of a claim by themselves
//	CheckRoots    the faults of the objects among all others of the Destination
//
// A claim that one of these steps quarantines is Kept in the next steps, so that its stored files
// stay. CheckRoots and dedupe.Check are repeated without the claim. This ends, since the set of
// quarantined claims only grows.
package applycheck

import (
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// Input describes one Destination: its API server, and the stored and wanted content of its roots.
type Input struct {
	// Cluster describes the API server. A nil Cluster is the same as NewCluster("", nil).
	Cluster *Cluster
	// Roots are all roots of the Destination with their claims and foreign files, as for
	// dedupe.Check. The check reads only Path, Claims, Foreign, Ignored and Cache. A claim that is
	// Kept has its stored files after the round.
	Roots []dedupe.Root
	// Memory caches the objects and the faults of files. A nil Memory caches nothing.
	Memory *Memory
	// State is the state of the Destination's last check. A nil State means an empty state that is
	// dropped after the check.
	State *State
}

// Verdict is the result of one step of the check for one root.
type Verdict struct {
	// Quarantined contains the refusals of the claims that the API server would certainly refuse.
	// The keys are positions in the root's claims.
	Quarantined map[int]Refusal
	// Doubtful contains the positions of claims that the API server may refuse for another reason
	// than a missing namespace.
	Doubtful map[int]bool
	// Findings name the faults with the file and line of their objects, up to a limit. A finding
	// with the severity Error belongs to a claim in Quarantined. A fault that depends on an unknown
	// version or content of the cluster has the severity Warning. Warnings of a claim with the same
	// message are one finding.
	Findings []finding.Finding
	// Provides means that a claim has, or may have, an object without which the API server would refuse
	// objects of other claims. Only CheckRoots sets it.
	Provides bool
	// HasCustom means that a claim has a wanted object of a kind that is not built in. Only CheckRoots
	// sets it.
	HasCustom bool
}

// Refusal describes why the API server would refuse a claim.
type Refusal struct {
	// Reason is the reason for the state of the placement.
	Reason string
	// Everywhere means that every API server would refuse the claim.
	Everywhere bool
}

// CheckClaims returns, for each root, the claims with an object that the API server would refuse
// because of the object itself. For example, it does not fit the schema of its kind, has an invalid
// name or label, or changes an immutable field of the stored object. A Kept claim is not checked.
func CheckClaims(in Input) []Verdict {
	return run(in, (*check).checkClaims)
}

// CheckRoots returns, for each root, the claims with an object that the API server would refuse
// because of the other objects of the cluster. For example, the kind of such an object is not
// served, its namespace does not exist, or a CustomResourceDefinition is removed while objects of
// its kind remain.
func CheckRoots(in Input) []Verdict {
	return run(in, (*check).checkRoots)
}

func run(in Input, step func(*check) []Verdict) []Verdict {
	if in.Cluster == nil {
		in.Cluster = &Cluster{}
	}
	if in.Memory == nil {
		in.Memory = &Memory{}
	}
	if in.State == nil {
		in.State = &State{}
	}
	in.State.busy.Lock()
	defer in.State.busy.Unlock()
	if c := newCheck(in); c != nil {
		return step(c)
	}
	return make([]Verdict, len(in.Roots))
}
