package report

import (
	"bufio"
	_ "embed"
	"html/template"
	"io"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

//go:embed html.tmpl
var page string

// htmlData is the input of the page template.
type htmlData struct {
	Document
	Title   string
	Verdict string
	Failed  bool
	Picture picture
	// Reported means that agents have reported something.
	Reported bool
}

// HTML writes a document as a self-contained page, with the picture of Works and Destinations and
// with all findings.
func HTML(w io.Writer, d Document) error {
	agents := d.Agents()
	parsed, err := template.New("page").Funcs(template.FuncMap{
		"at":    func(p finding.Place) string { return printable.Line(p.String() + d.onDisk(p)) },
		"class": func(s State) string { return stateClass(s) },
		"line":  printable.Line,
		"place": func(p Placement) string { return printable.Line(p.name()) },
		"agent": func(p Placement) string { return agents.text(&p) },
		"fails": func(d Delivery) string { return printable.Line(d.failure()) },
	}).Parse(page)
	if err != nil {
		return err
	}
	failed := false
	for _, f := range d.Findings {
		failed = failed || d.fails(f)
	}
	out := bufio.NewWriter(w)
	data := htmlData{Document: d, Title: toolName, Verdict: string(d.Done) + ": " + d.totals() + d.leftOut(), Failed: failed, Picture: draw(d), Reported: len(agents) > 0}
	if err := parsed.Execute(out, data); err != nil {
		return err
	}
	return out.Flush()
}

// stateClass returns the CSS class of a state.
func stateClass(s State) string {
	switch s {
	case Placed, Unchanged:
		return "good"
	case HeldBack, Unplaced, Failed:
		return "bad"
	case Removed, Kept:
	}
	return "other"
}
