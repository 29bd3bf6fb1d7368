package layout

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// ledgerFile lies among the records. It has no ending, so that neither Flux nor
// Argo CD takes it for a manifest in mode none, where records lie below the root.
const ledgerFile = "removals"

// Ledger is how many of a Destination's placements were removed lately because
// they had lost their Works. It lies in the store beside the records, written with
// the removals themselves, so that every process that reads the store counts them.
type Ledger []Removal

// Removal is how many placements were removed in one minute.
type Removal struct {
	Minute time.Time
	Count  int
}

// The bounds of what is believed of a ledger: anyone who can write to the store can
// write it.
const (
	maxRemovals = 10_000
	maxRemoval  = 1 << 30
)

// LedgerPath returns where the ledger of a Destination lies.
func LedgerPath(d *kratix.Destination) (tree.Path, error) {
	dir, err := RecordsDir(d)
	return dir.Join(segment(ledgerFile)), err
}

// ParseLedger reads a ledger. It skips lines that are none.
func ParseLedger(content []byte) Ledger {
	var ledger Ledger
	for lines := bufio.NewScanner(bytes.NewReader(content)); lines.Scan() && len(ledger) < maxRemovals; {
		minute, count, _ := strings.Cut(lines.Text(), " ")
		at, err := time.Parse(time.RFC3339, minute)
		n, errCount := strconv.Atoi(count)
		if err == nil && errCount == nil && n > 0 && n <= maxRemoval {
			ledger = append(ledger, Removal{at.UTC(), n})
		}
	}
	return ledger
}

// Content returns the ledger as a file.
func (l Ledger) Content() []byte {
	var content bytes.Buffer
	for _, each := range l {
		_, _ = fmt.Fprintf(&content, "%s %d\n", each.Minute.Format(time.RFC3339), each.Count) // a buffer takes everything
	}
	return content.Bytes()
}

// Within returns the removals of the time before now. Those of the first minute
// count whole, and so do those that another clock, which is ahead by less than that
// time, has dated later. A window of zero has none.
func (l Ledger) Within(window time.Duration, now time.Time) Ledger {
	return slices.DeleteFunc(slices.Clone(l), func(each Removal) bool {
		age := now.Sub(each.Minute)
		return window <= 0 || age > window+time.Minute || age < -window
	})
}

// Sum returns the number of removals.
func (l Ledger) Sum() int {
	sum := 0
	for _, each := range l {
		sum += each.Count
	}
	return sum
}

// With returns the ledger with removals made now.
func (l Ledger) With(count int, now time.Time) Ledger {
	minute := now.UTC().Truncate(time.Minute)
	with := slices.Clone(l)
	at := slices.IndexFunc(with, func(each Removal) bool { return each.Minute.Equal(minute) })
	if at < 0 {
		return append(with, Removal{minute, count})
	}
	with[at].Count += count
	return with
}
