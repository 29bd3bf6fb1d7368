package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/report"
)

// follow does a round whenever the input changes, and every interval, until ctx
// ends. A round that failed is tried again within retry.
func follow(ctx context.Context, reconciler *reconcile.Reconciler, interval time.Duration, std streams) error {
	changes, err := reconciler.Source.Changes(ctx)
	if err != nil {
		return inputError(err)
	}
	last := ""
	for ctx.Err() == nil {
		result, err := reconciler.Round(ctx)
		last = tell(std, last, result, err)
		wait := interval
		if err != nil || result.Has(finding.StoreFailed()) || result.Again {
			wait = min(interval, retry)
		}
		select {
		case <-ctx.Done():
		case <-changes:
		case <-time.After(wait):
		}
	}
	return nil
}

// retry is how soon a failed round, or one that is half of a move, is done
// again.
const retry = 15 * time.Second

// tell prints a round's outcome, unless it says what the last one said.
func tell(std streams, last string, result report.Report, err error) string {
	var text strings.Builder
	if err != nil {
		text.WriteString(err.Error() + "\n")
	} else if err := printRun(&text, result); err != nil {
		text.WriteString(err.Error() + "\n")
	}
	if text.String() != last {
		_, _ = fmt.Fprint(std.out, text.String())
	}
	return text.String()
}
