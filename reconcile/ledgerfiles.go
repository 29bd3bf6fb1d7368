package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// ledgerFiles returns the Destination's ledger as it is to be, if it is to be
// there.
func ledgerFiles(c *checked) []tree.File {
	path, err := layout.LedgerPath(c.Destination)
	text := c.part.guard.ledger
	if c.part.guard.counts && !removesCounted(c) {
		text = c.ledgerText
	}
	if err != nil || text == "" || c.goesWithItsFiles() {
		return nil
	}
	return []tree.File{{Path: path, Content: []byte(text)}}
}

// removesCounted reports whether a removal that the guard counts is made: those that
// a server has refused are not.
func removesCounted(c *checked) bool {
	return slices.ContainsFunc(c.removed, func(r recordView) bool { return slices.Contains(c.part.removed, r.Placement) })
}

// clearLedger removes a ledger that counts no more, beside other changes: it is no
// reason for a commit of its own.
func clearLedger(c *checked, set *statestore.ChangeSet) {
	stale := c.ledgerText != "" && (c.part.guard.ledger == "" || c.goesWithItsFiles())
	if !stale || set.Empty() || slices.Contains(set.Remove, c.ledgerPath) {
		return
	}
	set.Remove = append(set.Remove, c.ledgerPath)
	slices.SortFunc(set.Remove, tree.Compare)
}
