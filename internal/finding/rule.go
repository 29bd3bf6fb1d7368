package finding

import "fmt"

// Severity says how grave a finding is.
type Severity int

// The severities, the graver the higher.
const (
	None Severity = iota
	// Note is worth knowing and changes nothing.
	Note
	// Warning is likely a mistake; everything is still done.
	Warning
	// Error means that something was not done, or would break a Destination.
	Error
)

// String returns the severity in lower case.
func (s Severity) String() string {
	switch s {
	case Note:
		return "note"
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return "none"
}

// Rule is one kind of finding.
type Rule struct {
	// ID is stable: "KS001".
	ID string
	// Name is the rule in one word.
	Name     string
	Severity Severity
	// Summary is the rule in one line.
	Summary string
	// Why explains what happens without the rule, and where the rule comes from.
	Why string
	// Fix says what to do, in general.
	Fix string
}

// String returns the rule's id.
func (r Rule) String() string { return r.ID }

// ByID finds a rule in the table.
func ByID(id string) (Rule, error) {
	for _, rule := range Rules() {
		if rule.ID == id {
			return rule, nil
		}
	}
	return Rule{}, fmt.Errorf("there is no rule %q; `kratix-schedule explain` lists them", id)
}
