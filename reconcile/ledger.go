package reconcile

import (
	"context"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

type ledgerView struct {
	ledgerPath tree.Path
	ledger     layout.Ledger
	ledgerText string
}

// maxLedger is the maximum number of bytes of a ledger that are parsed. Anyone who can write to the
// store can write a ledger of any size.
const maxLedger = 64 << 10

func readLedger(ctx context.Context, store *storeView, path tree.Path) (ledgerView, error) {
	content, err := store.state.Contents.Content(ctx, path)
	if err != nil {
		return ledgerView{}, fmt.Errorf("read %s: %w", path, err)
	}
	content = content[:min(len(content), maxLedger)]
	return ledgerView{ledgerPath: path, ledger: layout.ParseLedger(content), ledgerText: string(content)}, nil
}
