package requests

import (
	"errors"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

type trouble struct {
	// err is the failure of all requests in a namespace, or nil.
	err    error
	single error
	// first is the smallest key of the requests that fail on their own, and count is their number.
	first kratix.Key
	count int
}

func (t *trouble) add(request kratix.Key, err error) {
	if t.count++; t.count == 1 || request.String() < t.first.String() {
		t.first, t.single = request, err
	}
}

// longestWords is the maximum size in bytes of a message from an API server in a finding.
const longestWords = 1024

// findings returns a finding for each Promise with requests that cannot be written. A missing
// permission is only a note, because it may be intended.
func (t target) findings(troubles map[string]*trouble) []finding.Finding {
	var all []finding.Finding
	for promise, has := range troubles {
		rule := finding.WriteRefused()
		f := finding.Finding{Place: finding.Place{Object: kratix.PromiseKind + " " + promise}}
		what, err := t.what+" of its requests is not written", has.err
		if err == nil {
			err = has.single
			what = fmt.Sprintf("%s of %d of its requests is not written, such as %s", t.what, has.count, has.first)
		}
		f.Message = what + ": " + status.Shorten(printable.Line(err.Error()), longestWords)
		rule.Severity = finding.Warning
		switch {
		case errors.Is(err, errNotGranted):
			rule.Severity = finding.Note
			f.Fix = t.grant
		case errors.Is(err, errPruned):
			f.Fix = "Set x-kubernetes-preserve-unknown-fields: true in the schema of the status, as Kratix does for the API of a Promise."
		case errors.Is(err, errNoAPI):
			f.Fix = "Install what is missing, or delete the Works that are left of the Promise."
		}
		f.Rule = rule
		all = append(all, f)
	}
	finding.Sort(all)
	return all
}
