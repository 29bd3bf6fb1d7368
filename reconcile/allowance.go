package reconcile

import (
	"errors"
	"strconv"
)

// Allowance is the number of removals that a user explicitly allows. The zero value means that the
// user has set none.
type Allowance struct{ most int }

const unlimited = -1

// AllowAll returns an allowance without a bound.
func AllowAll() Allowance { return Allowance{unlimited} }

// AllowUpTo returns an allowance for at most n removals.
func AllowUpTo(n int) Allowance { return Allowance{max(n, 0)} }

var errAllowance = errors.New("it must be all or a whole number above 0")

// ParseAllowance parses an allowance: "all" or a whole number above 0.
func ParseAllowance(text string) (Allowance, error) {
	if text == "all" {
		return AllowAll(), nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return Allowance{}, errAllowance
	}
	return AllowUpTo(n), nil
}

// String returns the allowance in the syntax of ParseAllowance, or "" for the zero value.
func (a Allowance) String() string {
	switch a.most {
	case 0:
		return ""
	case unlimited:
		return "all"
	}
	return strconv.Itoa(a.most)
}

func (a Allowance) covers(n int) bool { return a.most == unlimited || n <= a.most }
