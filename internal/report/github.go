package report

import (
	"bufio"
	"io"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
)

// GitHub writes findings as annotations of GitHub Actions. It returns the error of w.
func GitHub(w io.Writer, d Document) error {
	out := bufio.NewWriter(w)
	for _, f := range d.Findings {
		var properties []string
		spot := d.position(f.Place)
		if spot.File != "" {
			properties = append(properties, "file="+property(spot.File))
		}
		if spot.File != "" && spot.Line > 0 {
			properties = append(properties, "line="+strconv.Itoa(spot.Line))
		}
		properties = append(properties, "title="+property(f.Rule.ID+" "+f.Rule.Name))
		printf(out, "::%s %s::%s\n", command(f.Rule.Severity), strings.Join(properties, ","), data(d.annotation(f)))
	}
	return out.Flush()
}

func command(severity finding.Severity) string {
	switch severity {
	case finding.Error:
		return "error"
	case finding.Warning:
		return "warning"
	case finding.Note, finding.None:
	}
	return "notice"
}

func (d Document) annotation(f finding.Finding) string {
	text := f.Message
	if f.Place.Object != "" {
		text = headline(f)
	}
	for _, related := range f.Related {
		text += "\nwith " + related.Place.String() + " (" + related.Message + ")" + d.onDisk(related.Place)
	}
	return text + "\n" + f.Advice()
}

func data(text string) string {
	return strings.NewReplacer("%", "%25", "\n", "%0A").Replace(printable.Lines(text))
}

func property(text string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(data(text))
}
