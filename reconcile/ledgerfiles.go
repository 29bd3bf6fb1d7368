package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func ledgerFiles(c *checked) []tree.File {
	path, err := layout.LedgerPath(c.Destination)
	text := c.plan.guard.ledger
	if c.plan.guard.counts && !removesCounted(c) {
		text = c.ledgerText
	}
	if err != nil || text == "" || c.isRemovedWithFiles() {
		return nil
	}
	return []tree.File{{Path: path, Content: []byte(text)}}
}

// removesCounted reports whether the changes include a removal that the guard counts.
func removesCounted(c *checked) bool {
	return slices.ContainsFunc(c.removed, func(r recordView) bool { return slices.Contains(c.plan.removed, r.Placement) })
}

// clearLedger removes a ledger whose entries no longer count, together with other changes. A commit
// for the ledger alone is not worth it.
func clearLedger(c *checked, set *statestore.ChangeSet) {
	stale := c.ledgerText != "" && (c.plan.guard.ledger == "" || c.isRemovedWithFiles())
	if !stale || set.Empty() || slices.Contains(set.Remove, c.ledgerPath) {
		return
	}
	set.Remove = append(set.Remove, c.ledgerPath)
	slices.SortFunc(set.Remove, tree.Compare)
}
