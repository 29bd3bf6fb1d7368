package listing

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Watcher prints rows that change. It keeps the rows of one listing.
type Watcher struct {
	kind   Kind
	style  Style
	table  *table
	before map[string]Item
}

// NewWatcher returns a Watcher that has printed nothing.
func NewWatcher(kind Kind, style Style) *Watcher {
	return &Watcher{kind: kind, style: style, table: newTable(kind, style), before: map[string]Item{}}
}

type event struct {
	Type   string `json:"type"`
	Object Item   `json:"object"`
}

// Print writes the rows that have changed since the last call, and deleted rows. It returns their
// number.
func (w *Watcher) Print(to io.Writer, rows []Item) (int, error) {
	next := make(map[string]Item, len(rows))
	var events []event
	for _, row := range rows {
		key := row.key()
		next[key] = row
		switch before, known := w.before[key]; {
		case !known:
			events = append(events, event{"ADDED", row})
		case !slices.Equal(before.cells(), row.cells()):
			events = append(events, event{"MODIFIED", row})
		}
	}
	var gone []event
	for key, row := range w.before {
		if _, still := next[key]; !still {
			gone = append(gone, event{"DELETED", row.deleted()})
		}
	}
	slices.SortFunc(gone, func(a, b event) int { return strings.Compare(a.Object.key(), b.Object.key()) })
	w.before = next
	events = append(events, gone...)
	out := bufio.NewWriterSize(to, 64<<10)
	if err := w.write(out, events); err != nil {
		return 0, err
	}
	return len(events), out.Flush()
}

func (w *Watcher) write(out *bufio.Writer, events []event) error {
	if w.style.Format == Table || w.style.Format == Wide {
		rows := make([]Item, len(events))
		for i := range events {
			rows[i] = events[i].Object
		}
		w.table.write(out, rows)
		return nil
	}
	for _, e := range events {
		switch w.style.Format {
		case Name:
			fmt.Fprintln(out, printable.Line(e.Object.Name()))
		case JSON:
			text, err := json.Marshal(e)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s\n", printable.JSON(text))
		case YAML:
			text, err := report.MarshalYAML(e)
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "---\n%s", text)
		case Table, Wide:
		}
	}
	return nil
}
