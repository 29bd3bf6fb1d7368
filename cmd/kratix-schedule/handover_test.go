package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/handover"
	"github.com/kratix-schedule/kratix-schedule/source"
)

func TestWhatHandoverSaysAndHowItEnds(t *testing.T) {
	unknown := func(rule finding.Rule, object string) handover.Verdict {
		return handover.Verdict{Unknown: []finding.Finding{{Rule: rule, Place: finding.Place{Object: object}, Message: "why"}}}
	}
	breaks := func(b handover.Break) handover.Verdict {
		b.Work, b.Destination, b.Reason = "default/a", "worker-1", "because"
		return handover.Verdict{Breaks: []handover.Break{b}}
	}
	for name, test := range map[string]struct {
		verdict handover.Verdict
		status  int
		says    string
	}{
		"nothing":                       {handover.Verdict{}, exitClean, "safe: Kratix may be started; it would break nothing with 0 Works and 0 WorkPlacements"},
		"a store that cannot be read":   {unknown(finding.StoreFailed(), "GitStateStore default"), exitFailure, "not known: a state store cannot be read"},
		"a Secret that may not be read": {unknown(finding.UnreadableInput(), "Secret default/git"), exitFailure, "not known: a state store cannot be read"},
		"a Work that cannot be read":    {unknown(finding.UnreadableInput(), "Work default/a"), exitFindings, "not known: correct what cannot be read before Kratix is started"},
		"a WorkPlacement":               {breaks(handover.Break{WorkPlacement: "a.worker-1-5058f"}), exitFindings, "would break  default/a  on worker-1: Kratix would write WorkPlacement a.worker-1-5058f; because"},
		"none":                          {breaks(handover.Break{}), exitFindings, "would break  default/a  on worker-1: Kratix would place it there; because"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			err := printHandover(&out, test.verdict, source.Snapshot{})
			ended := exit{code: exitClean}
			if err != nil && !errors.As(err, &ended) {
				t.Fatal(err)
			}
			if ended.code != test.status || !strings.Contains(out.String(), test.says) {
				t.Errorf("it ends with %d and says %q", ended.code, out.String())
			}
		})
	}
}
