package finding

import "fmt"

// Severity is how severe a finding is.
type Severity int

// Severities, in ascending order.
const (
	None Severity = iota
	// Note is informational.
	Note
	// Warning is probably a mistake; everything is done nevertheless.
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
	// ID is the stable identifier: "KS001".
	ID string
	// Name is the rule's name as one word.
	Name     string
	Severity Severity
	// Summary is the rule in one line.
	Summary string
	// Why explains the consequences of ignoring the rule, and where it comes from.
	Why string
	// Fix is what to do in general.
	Fix string
	// Example is an input that breaks the rule, with the message of Flux; may be empty.
	Example string
}

// String returns the rule's id.
func (r Rule) String() string { return r.ID }

// ByID returns the rule with this id.
func ByID(id string) (Rule, error) {
	for _, rule := range Rules() {
		if rule.ID == id {
			return rule, nil
		}
	}
	return Rule{}, fmt.Errorf("there is no rule %q; `kratix-schedule explain` lists them", id)
}
