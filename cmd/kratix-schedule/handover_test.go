package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/handover"
	"github.com/kratix-schedule/kratix-schedule/source"
)

func TestHandoverOutputAndExitStatus(t *testing.T) {
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
		"the only one that fits":        {breaks(handover.Break{Fitting: 1}), exitFindings, ": Kratix would place it there; because"},
		"one of those that fit":         {breaks(handover.Break{Fitting: 3}), exitFindings, ": Kratix may place it there, one of 3 that fit; because"},
		"some of those that fit":        {breaks(handover.Break{Fitting: 3, Others: 1}), exitFindings, ": Kratix may place it there, or on another that fits (1 would break as well); because"},
		"all that fit":                  {breaks(handover.Break{Fitting: 2, Others: 1}), exitFindings, ": Kratix would place it there, or on another that fits (1 would break as well); because"},
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

func TestHandoverWarnsOfReplicas(t *testing.T) {
	held := func(name, labels string) string {
		return fmt.Sprintf(`{"metadata":{"name":%q,"labels":{%s}},"spec":{"holderIdentity":"pod-1","leaseDurationSeconds":15,"renewTime":%q}}`,
			name, labels, time.Now().UTC().Format("2006-01-02T15:04:05.000000Z"))
	}
	for name, test := range map[string]struct {
		status int
		leases string
		want   string
	}{
		"one leads":        {http.StatusOK, held("kratix-schedule", ""), "warning: pod-1 runs, as the Lease here/kratix-schedule says: what it places or writes from now on is not checked; stop it before Kratix is started\n"},
		"one shares":       {http.StatusOK, held("kratix-schedule-pod-1", `"kratix-schedule.io/member":"true"`), "warning: pod-1 runs, as the Lease here/kratix-schedule-pod-1 says: what it places or writes from now on is not checked; stop it before Kratix is started\n"},
		"none":             {http.StatusOK, held("another", ""), "warning: it is not known whether a replica runs: no Lease in the namespace here says so (--lease-namespace names another namespace), and a replica that runs alone has no Lease; stop all replicas before Kratix is started\n"},
		"who may not list": {http.StatusForbidden, "", "warning: it is not known whether a replica runs: list the Leases in the namespace here: "},
	} {
		t.Run(name, func(t *testing.T) {
			api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/apis/coordination.k8s.io/v1/namespaces/here/leases" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(test.status)
				_, _ = fmt.Fprintf(w, `{"apiVersion":"coordination.k8s.io/v1","kind":"LeaseList","items":[%s]}`, test.leases)
			}))
			defer api.Close()
			var out strings.Builder
			if err := warnOfReplicas(t.Context(), &rest.Config{Host: api.URL}, "here", &out); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(out.String(), test.want) {
				t.Errorf("it says %q", out.String())
			}
		})
	}
}
