package report

import "github.com/kratix-schedule/kratix-schedule/internal/finding"

// Colour is a colour or style of a Painter.
type Colour int

// The colours and styles.
const (
	Red Colour = iota
	Yellow
	Blue
	Green
	Bold
	Faint
)

// Painter returns text in a colour or style.
type Painter func(Colour, string) string

// Terminal returns text with the escape sequences of terminals for a colour or style.
func Terminal(colour Colour, text string) string {
	codes := map[Colour]string{Red: "31", Yellow: "33", Blue: "34", Green: "32", Bold: "1", Faint: "2"}
	return "\x1b[" + codes[colour] + "m" + text + "\x1b[0m"
}

func (d Document) paint(colour Colour, text string) string {
	if d.Paint == nil || text == "" {
		return text
	}
	return d.Paint(colour, text)
}

func colourOf(severity finding.Severity) Colour {
	switch severity {
	case finding.Error:
		return Red
	case finding.Warning:
		return Yellow
	case finding.Note, finding.None:
	}
	return Blue
}

func colourOfState(state State) Colour {
	switch state {
	case Placed:
		return Green
	case HeldBack, Unplaced, Failed:
		return Red
	case Removed, Kept:
		return Yellow
	case Unchanged:
	}
	return Faint
}
