// Package applycheck finds the claims that the API server of a Destination would refuse. If the API
// server refuses an object, Flux applies no object of the same stage of the root. The package does
// no I/O and reads no clock.
//
// Callers use CheckClaims first, then dedupe.Check, then CheckRoots. A claim that a step
// quarantines is Kept in the next steps. dedupe.Check and CheckRoots are repeated until they
// quarantine no further claim.
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
	// dedupe.Check.
	Roots []dedupe.Root
	// Memory caches the objects and the faults of files. A nil Memory caches nothing.
	Memory *Memory
	// State is the state of the Destination's last check. A nil State is the same as an empty one.
	State *State
}

// Verdict is the result of one step of the check for one root.
type Verdict struct {
	// Quarantined contains the claims that the API server would certainly refuse. The keys are
	// positions in the root's claims.
	Quarantined map[int]Refusal
	// Doubtful contains the positions of claims with an uncertain fault other than a missing
	// namespace.
	Doubtful map[int]bool
	// Findings are the errors and warnings about the faults, up to a limit.
	Findings []finding.Finding
	// Provides means that the claims may affect which kinds and namespaces exist. Only CheckRoots
	// sets it.
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

// CheckClaims returns a Verdict for each root about the faults of the objects by themselves, such
// as values that do not fit the schema. A Kept claim is not checked.
func CheckClaims(in Input) []Verdict {
	return run(in, (*check).checkClaims)
}

// CheckRoots returns a Verdict for each root about the faults that depend on the cluster, such as
// missing namespaces.
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
