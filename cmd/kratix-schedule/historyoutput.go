package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/history"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

type historyDocument struct {
	SchemaVersion int            `json:"schemaVersion"`
	Kind          string         `json:"kind"`
	Work          string         `json:"work"`
	Stores        []storeHistory `json:"stores"`
}

type diffDocument struct {
	SchemaVersion int        `json:"schemaVersion"`
	Kind          string     `json:"kind"`
	Work          string     `json:"work"`
	Store         string     `json:"store"`
	From          string     `json:"from"`
	To            string     `json:"to"`
	Files         []fileDiff `json:"files"`
	More          int        `json:"more,omitempty"`
}

type fileDiff struct {
	Path  string   `json:"path"`
	Lines []string `json:"lines"`
}

func writeDocument(out io.Writer, format string, value any) error {
	var text []byte
	var err error
	if format == "json" {
		if text, err = json.MarshalIndent(value, "", "  "); err == nil {
			text = append(printable.JSON(text), '\n')
		}
	} else {
		text, err = report.MarshalYAML(value)
	}
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	return err
}

func writeHistories(out io.Writer, flags historyFlags, work string, read []storeHistory) error {
	switch flags.output {
	case "json", "yaml":
		return writeDocument(out, flags.output, historyDocument{listing.SchemaVersion, "history", work, read})
	}
	var text bytes.Buffer
	table := tabwriter.NewWriter(&text, 6, 4, 3, ' ', 0)
	isWide := flags.output == "wide"
	titles := []string{"REVISION", "DATE", "CHANGE", "SUBJECT"}
	if isWide {
		titles = []string{"REVISION", "DATE", "CHANGE", "AUTHOR", "STORE", "SUBJECT"}
	}
	_, _ = fmt.Fprintln(table, strings.Join(titles, "\t"))
	for _, one := range read {
		for i := range one.Entries {
			entry := &one.Entries[i]
			cells := []string{shortRevision(entry.Revision), dateOf(entry.Time), changesOf(entry), entry.Subject}
			if isWide {
				cells = []string{entry.Revision, dateOf(entry.Time), changesOf(entry), entry.Author, one.Store, entry.Subject}
			}
			_, _ = fmt.Fprintln(table, tabbed(cells))
			if !flags.files {
				continue
			}
			for _, file := range entry.Files {
				_, _ = fmt.Fprintf(table, "  %s\n", printable.Line(file))
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, one := range read {
		if one.More && len(one.Entries) > 0 {
			_, _ = fmt.Fprintf(&text, "older revisions of %s were not searched; see --limit and --depth\n", printable.Line(one.Store))
		}
	}
	_, err := out.Write(text.Bytes())
	return err
}

func tabbed(cells []string) string {
	for i, cell := range cells {
		if cells[i] = printable.Line(cell); cell == "" {
			cells[i] = "<none>"
		}
	}
	return strings.Join(cells, "\t")
}

func dateOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// changesOf returns a text about the changes of a revision, such as "Place on worker-1".
func changesOf(entry *history.Entry) string {
	var texts []string
	for _, change := range entry.Changes {
		texts = append(texts, string(change.Action)+" on "+change.Destination)
	}
	if len(texts) == 0 && len(entry.Files) > 0 {
		texts = append(texts, countOf(len(entry.Files), "file"))
	}
	return strings.Join(texts, ", ")
}

func showDiff(c *cobra.Command, flags historyFlags, stores []namedStore, read []storeHistory, args []string, std streams) error {
	ctx := c.Context()
	of, from, to, err := revisionsOf(ctx, flags, stores, read, args[1:])
	if err != nil {
		return err
	}
	comparison, err := history.Diff(ctx, of.store, from, to, history.Selection{Work: args[0]})
	if err != nil {
		return historyError(of, err)
	}
	if comparison.More > 0 {
		warn(std, "%s more changed and are left out", countOf(comparison.More, "file"))
	}
	switch flags.output {
	case "json", "yaml":
		document := diffDocument{listing.SchemaVersion, "diff", args[0], of.name, string(from), string(to), []fileDiff{}, comparison.More}
		for _, file := range comparison.Files {
			document.Files = append(document.Files, fileDiff{file.Path, file.Lines()})
		}
		return writeDocument(std.out, flags.output, document)
	}
	if len(comparison.Files) == 0 {
		_, _ = fmt.Fprintln(std.err, "No files of "+printable.Line(args[0])+" differ.")
		return nil
	}
	document := report.Document{Diffs: comparison.Files, Stat: flags.stat}
	if colours(std.out) {
		document.Paint = report.Terminal
	}
	return report.Diffs(std.out, document)
}
