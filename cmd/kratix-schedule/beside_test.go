package main

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/admission"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// TestAVerdictIsAFinding checks that a policy in force yields no finding, one not in force an
// error, and one in an unknown state a warning.
func TestAVerdictIsAFinding(t *testing.T) {
	for state, want := range map[admission.State]finding.Rule{
		admission.InForce: {}, admission.NotInForce: finding.PolicyNotInForce(), admission.DeniesSelf: finding.PolicyDeniesSelf(),
		admission.Unknown: finding.PolicyUnchecked(), "": {},
	} {
		watch := &policyWatch{}
		if state != "" {
			watch.verdict.Store(&admission.Verdict{State: state, Object: "ValidatingAdmissionPolicy a", Message: "why", Fix: "do that"})
		}
		found := watch.findings()
		if want.ID == "" {
			if len(found) > 0 {
				t.Errorf("%q: %v", state, found)
			}
			continue
		}
		if len(found) != 1 || found[0].Rule != want || found[0].Message != "why" || found[0].Fix != "do that" || found[0].Place.Object != "ValidatingAdmissionPolicy a" {
			t.Errorf("%q: %+v, want rule %s", state, found, want)
		}
	}
}
