package reconcile

import (
	"context"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// ledgerView is the ledger of a Destination's removals, as read from the store.
type ledgerView struct {
	ledgerPath tree.Path
	ledger     layout.Ledger
	// ledgerText is the content of the file; empty if there is none.
	ledgerText string
}

// maxLedger bounds how much of a ledger is read, because anyone who can write to the store can
// write a ledger of any size.
const maxLedger = 64 << 10

func readLedger(ctx context.Context, store *storeView, path tree.Path) (ledgerView, error) {
	content, err := store.state.Contents.Content(ctx, path)
	if err != nil {
		return ledgerView{}, fmt.Errorf("read %s: %w", path, err)
	}
	content = content[:min(len(content), maxLedger)]
	return ledgerView{ledgerPath: path, ledger: layout.ParseLedger(content), ledgerText: string(content)}, nil
}
