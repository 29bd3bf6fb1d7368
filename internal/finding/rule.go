package finding

import "fmt"

// Severity is the severity of a finding.
type Severity int

// Severities, in ascending order.
const (
	None Severity = iota
	// Note is the severity of information.
	Note
	// Warning means that something is probably a mistake. A warning prevents nothing.
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
	// Name is the name of the rule in one word.
	Name     string
	Severity Severity
	// Summary is a description of the rule in one line.
	Summary string
	// Why explains the reason of the rule and the consequences of ignoring it.
	Why string
	// Fix is the advice for all findings of the rule.
	Fix string
	// Example is an input that violates the rule, with the message of Flux. It may be empty.
	Example string
}

// String returns the ID of the rule.
func (r Rule) String() string { return r.ID }

// ByID returns the rule with an ID. It returns an error if there is none.
func ByID(id string) (Rule, error) {
	for _, rule := range Rules() {
		if rule.ID == id {
			return rule, nil
		}
	}
	return Rule{}, fmt.Errorf("there is no rule %q; `kratix-schedule explain` lists them", id)
}
