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

// ledgerFile is the name of the ledger in the directory of the records. In mode none, that
// directory is in a root. Flux and Argo CD do not read a file without an extension as a manifest.
const ledgerFile = "removals"

// Ledger counts the recent removals of placements on one Destination that the deletion guard has
// counted. It is written in the same commit as the removals, so that processes that read the store
// have the same count.
type Ledger []Removal

// Removal is the number of placements that were removed in one minute.
type Removal struct {
	Minute time.Time
	Count  int
}

// Limits of the content of a ledger, because anyone with write access to the store can change it.
const (
	maxRemovals = 10_000
	maxRemoval  = 1 << 30
)

// LedgerPath returns the path of a Destination's ledger. An error means that the Destination's path
// is invalid.
func LedgerPath(d *kratix.Destination) (tree.Path, error) {
	dir, err := RecordsDir(d)
	return dir.Join(segment(ledgerFile)), err
}

// ParseLedger parses a ledger, and skips invalid lines.
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

// Content returns the ledger as the content of its file.
func (l Ledger) Content() []byte {
	var content bytes.Buffer
	for _, each := range l {
		_, _ = fmt.Fprintf(&content, "%s %d\n", each.Minute.Format(time.RFC3339), each.Count) // a buffer returns no error
	}
	return content.Bytes()
}

// Within returns the removals that are less than window old. The first minute counts as a whole.
// Removals up to window after now count too, because the clock of their writer may be ahead. If
// window is zero, Within returns none.
func (l Ledger) Within(window time.Duration, now time.Time) Ledger {
	return slices.DeleteFunc(slices.Clone(l), func(each Removal) bool {
		age := now.Sub(each.Minute)
		return window <= 0 || age > window+time.Minute || age < -window
	})
}

// Total returns the number of removals.
func (l Ledger) Total() int {
	sum := 0
	for _, each := range l {
		sum += each.Count
	}
	return sum
}

// With returns a ledger with count more removals at the time now.
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
