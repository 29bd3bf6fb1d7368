package finding

import "fmt"

// Severity is the severity of a finding.
type Severity int

// The severities, in ascending order.
const (
	None Severity = iota
	// Note is the severity of information.
	Note
	// Warning means that something is probably a mistake.
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

// Rule is a kind of finding.
type Rule struct {
	// ID is the stable identifier, such as "KS001".
	ID string
	// Name is the name of the rule in one word.
	Name     string
	Severity Severity
	// Summary describes the rule in one line.
	Summary string
	// Why contains the reason for the rule and the consequences of ignoring it.
	Why string
	// Fix is the advice for findings without their own advice.
	Fix string
	// Example is an input that violates the rule. It may be empty.
	Example string
}

// String returns the ID of the rule.
func (r Rule) String() string { return r.ID }

// ByID returns the rule with an ID, or an error if there is no such rule.
func ByID(id string) (Rule, error) {
	for _, rule := range Rules() {
		if rule.ID == id {
			return rule, nil
		}
	}
	return Rule{}, fmt.Errorf("there is no rule %q; `kratix-schedule explain` lists them", id)
}
