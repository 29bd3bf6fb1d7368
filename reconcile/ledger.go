package reconcile

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// ledgerView is what a store remembers of a Destination's removals.
type ledgerView struct {
	ledgerPath tree.Path
	ledger     layout.Ledger
	// ledgerText is the file; empty when there is none.
	ledgerText string
}

// maxLedger is how much of a ledger is read: anyone who can write to the store can
// write one.
const maxLedger = 64 << 10

func readLedger(ctx context.Context, store *storeView, path tree.Path) (ledgerView, error) {
	content, err := store.state.Contents.Content(ctx, path)
	if err != nil {
		return ledgerView{}, fmt.Errorf("read %s: %w", path, err)
	}
	content = content[:min(len(content), maxLedger)]
	return ledgerView{ledgerPath: path, ledger: layout.ParseLedger(content), ledgerText: string(content)}, nil
}

// guardState is what the deletion guard depends on beside the plan, and what it
// decides.
type guardState struct {
	now     time.Time
	window  time.Duration
	allowed Allowance
	// allowedWhy is why the user's word cannot be read.
	allowedWhy error

	removals  removals
	judgement judgement
	// guarded are the counted removals by Destination.
	guarded map[string]int
}

// guardState returns the state at the beginning of a round.
func (r *Reconciler) guardState() guardState {
	state := guardState{window: r.Policy.RemovalWindow, allowed: r.Policy.Allow}
	if r.Now != nil {
		state.now = r.Now()
	}
	if r.Allowed != nil {
		word, err := r.Allowed(state.now)
		state.allowedWhy = err
		if word != (Allowance{}) && err == nil {
			state.allowed = word
		}
	}
	return state
}

// ledgerFiles returns the Destination's ledger as it is to be, if it is to be
// there.
func (dest *desiredDestination) ledgerFiles() []tree.File {
	path, err := layout.LedgerPath(dest.Destination)
	text := dest.part.guard.ledger
	if dest.part.guard.counts && !dest.removesCounted() {
		text = dest.ledgerText
	}
	if err != nil || text == "" || dest.goesWithItsFiles() {
		return nil
	}
	return []tree.File{{Path: path, Content: []byte(text)}}
}

// removesCounted reports whether a removal that the guard counts is made: those that
// a server has refused are not.
func (dest *desiredDestination) removesCounted() bool {
	return slices.ContainsFunc(dest.removed, func(r recordView) bool { return slices.Contains(dest.part.removed, r.Placement) })
}

// clearLedger removes a ledger that counts no more, beside other changes: it is no
// reason for a commit of its own.
func (dest *desiredDestination) clearLedger() {
	stale := dest.ledgerText != "" && (dest.part.guard.ledger == "" || dest.goesWithItsFiles())
	if !stale || dest.changes.Empty() || slices.Contains(dest.changes.Remove, dest.ledgerPath) {
		return
	}
	dest.changes.Remove = append(dest.changes.Remove, dest.ledgerPath)
	slices.SortFunc(dest.changes.Remove, tree.Compare)
}
