package report

import (
	"bufio"
	"io"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

// TAP writes a document in the Test Anything Protocol 14, with a test point for each finding and
// for each placement without a problem.
func TAP(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	sound := d.healthy()
	printf(out, "TAP version 14\n1..%d\n", len(d.Findings)+len(sound))
	for i, f := range d.Findings {
		result := "ok"
		if d.fails(f) {
			result = "not ok"
		}
		printf(out, "%s %d - %s\n", result, i+1, description(f.Rule.ID+" "+headline(f)))
		text, err := MarshalYAML(d.found(f))
		if err != nil {
			return err
		}
		printf(out, "  ---\n%s  ...\n", indent(string(text)))
	}
	for i, p := range sound {
		printf(out, "ok %d - %s\n", len(d.Findings)+i+1, description(p.label()))
	}
	return out.Flush()
}

// description returns text in one line, with escaped TAP directives.
func description(text string) string {
	text = strings.Join(strings.Fields(printable.Line(text)), " ")
	return strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(text)
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
