package reconcile

import (
	"errors"
	"strconv"
)

// Allowance is the explicit word of a user on how many placements may be removed
// within the window of the deletion guard. The zero value is no word.
type Allowance struct{ most int }

// unlimited is the allowance of those who allow all.
const unlimited = -1

// AllowAll returns the allowance of every removal.
func AllowAll() Allowance { return Allowance{unlimited} }

// AllowUpTo returns the allowance of a number of removals.
func AllowUpTo(n int) Allowance { return Allowance{max(n, 0)} }

// errAllowance is a text that is no allowance.
var errAllowance = errors.New("it must be all or a number from 1")

// ParseAllowance reads an allowance: "all" or a number.
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

// String returns the allowance as ParseAllowance reads it; empty for no word.
func (a Allowance) String() string {
	switch a.most {
	case 0:
		return ""
	case unlimited:
		return "all"
	}
	return strconv.Itoa(a.most)
}

// covers reports whether so many removals are allowed.
func (a Allowance) covers(n int) bool { return a.most == unlimited || n <= a.most }
