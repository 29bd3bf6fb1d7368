package listing

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Format is an output format.
type Format string

// The values of Format. Table is the default.
const (
	Table Format = ""
	Wide  Format = "wide"
	JSON  Format = "json"
	YAML  Format = "yaml"
	Name  Format = "name"
)

// Formats returns the formats that have a name.
func Formats() []Format { return []Format{Wide, YAML, JSON, Name} }

type column struct {
	title  string
	isWide bool
}

func columns(kind Kind) []column {
	switch kind {
	case Placements:
		return []column{{"NAMESPACE", false}, {"WORK", false}, {"GROUP", false}, {"DESTINATION", false}, {"STATE", false}, {"PROMISE", true}, {"RESOURCE", true}, {"STORE", true}, {"REASON", true}}
	case Destinations:
		return []column{{"NAME", false}, {"STATE", false}, {"PLACEMENTS", false}, {"HELD BACK", false}, {"STORE", false}, {"PATH", true}, {"MODE", true}, {"LABELS", true}, {"REASON", true}}
	case Stores:
		return []column{{"NAME", false}, {"KIND", false}, {"STATE", false}, {"REVISION", false}, {"DESTINATIONS", false}, {"PLACEMENTS", false}, {"URL", true}, {"REASON", true}}
	case Conflicts:
		return []column{{"RULE", false}, {"NAME", false}, {"OBJECT", false}, {"WITH", false}, {"FILE", true}, {"MESSAGE", false}}
	}
	return nil
}

// Style is the form in which rows are printed.
type Style struct {
	Format Format
	// NoHeaders leaves out the titles of a table.
	NoHeaders bool
}

// SchemaVersion is the version of the JSON and YAML output. It changes if programs that read the
// output must change.
const SchemaVersion = 1

// Print writes rows, and returns the error of w.
func Print(w io.Writer, kind Kind, rows []Item, style Style) error {
	out := bufio.NewWriterSize(w, 64<<10)
	var err error
	switch style.Format {
	case JSON:
		err = printJSON(out, kind, rows)
	case YAML:
		err = printYAML(out, kind, rows)
	case Name:
		printNames(out, rows)
	case Table, Wide:
		newTable(kind, style).write(out, rows)
	}
	if err != nil {
		return err
	}
	return out.Flush()
}

func printJSON(out *bufio.Writer, kind Kind, rows []Item) error {
	fmt.Fprintf(out, "{\"schemaVersion\":%d,\"kind\":%q,\"items\":[", SchemaVersion, kind)
	for i, row := range rows {
		text, err := json.Marshal(row)
		if err != nil {
			return err
		}
		separator := ",\n"
		if i == 0 {
			separator = "\n"
		}
		out.WriteString(separator)      //nolint:errcheck // Flush returns the error
		out.Write(printable.JSON(text)) //nolint:errcheck // as above
	}
	out.WriteString("]}\n") //nolint:errcheck // Flush returns the error
	return nil
}

func printYAML(out *bufio.Writer, kind Kind, rows []Item) error {
	items := " []\n"
	if len(rows) > 0 {
		items = "\n"
	}
	fmt.Fprintf(out, "schemaVersion: %d\nkind: %s\nitems:%s", SchemaVersion, kind, items)
	for _, row := range rows {
		text, err := report.MarshalYAML([]Item{row})
		if err != nil {
			return err
		}
		out.Write(text) //nolint:errcheck // as above
	}
	return nil
}

func printNames(out *bufio.Writer, rows []Item) {
	last := map[string]bool{}
	for _, row := range rows {
		if name := printable.Line(row.Name()); !last[name] {
			last[name] = true
			out.WriteString(name + "\n") //nolint:errcheck // Flush returns the error
		}
	}
}

const padding = 3

// table prints rows in columns, which become wider when needed.
type table struct {
	columns []column
	style   Style
	widths  []int
}

func newTable(kind Kind, style Style) *table {
	all := columns(kind)
	return &table{columns: all, style: style, widths: make([]int, len(all))}
}

func (t *table) write(out *bufio.Writer, rows []Item) {
	if len(rows) == 0 {
		return
	}
	if !t.style.NoHeaders {
		t.measure(t.titles())
	}
	for _, row := range rows {
		t.measure(row.cells())
	}
	if !t.style.NoHeaders {
		t.line(out, t.titles())
		t.style.NoHeaders = true
	}
	for _, row := range rows {
		t.line(out, row.cells())
	}
}

func (t *table) titles() []string {
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	return titles
}

func (t *table) measure(cells []string) {
	for i, cell := range cells {
		t.widths[i] = max(t.widths[i], utf8.RuneCountInString(shown(cell)))
	}
}

// line writes one row. The last column is not padded.
func (t *table) line(out *bufio.Writer, cells []string) {
	spaces := 0
	for i, cell := range cells {
		if t.columns[i].isWide && t.style.Format != Wide {
			continue
		}
		for ; spaces > 0; spaces-- {
			out.WriteByte(' ') //nolint:errcheck // Flush returns the error
		}
		text := shown(cell)
		out.WriteString(text) //nolint:errcheck // as above
		spaces = t.widths[i] - utf8.RuneCountInString(text) + padding
	}
	out.WriteByte('\n') //nolint:errcheck // Flush returns the error
}

func shown(cell string) string {
	if cell == "" {
		return "<none>"
	}
	return printable.Line(cell)
}
