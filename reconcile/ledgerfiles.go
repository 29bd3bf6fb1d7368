package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

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
