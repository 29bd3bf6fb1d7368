package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/admission"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

func TestPolicyVerdictIsReported(t *testing.T) {
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

func TestModeDeterminesTheReactionToAnotherScheduler(t *testing.T) {
	for mode, want := range map[status.Mode][2]string{
		status.Schedule: {"what it places is not checked", "have the admission policy"},
		status.Manage:   {"nothing is written to a state store", "Use --schedule-only"},
	} {
		consequence, fix := besideOther(mode)
		if !strings.Contains(consequence, want[0]) || !strings.Contains(fix, want[1]) {
			t.Errorf("%s: %q, %q", mode, consequence, fix)
		}
		if mode == status.Schedule && strings.Contains(fix, "--schedule-only") {
			t.Errorf("%s: it advises what is there: %q", mode, fix)
		}
	}
	if rule := finding.OtherScheduler(); strings.Contains(rule.Summary, "nothing is written") || strings.Contains(rule.Fix, "--schedule-only") {
		t.Errorf("the rule is about one mode alone: %+v", rule)
	}
}

func TestTheConfigurationNamesLiveStores(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	const one, two = "GitStateStore/a=GitStateStore/b", "BucketStateStore/a=GitStateStore/b"
	for name, c := range map[string]struct {
		text, environment string
		args              []string
		want              string
	}{
		"a list":           {"live-store: [" + one + ", " + two + "]", "", nil, one + "," + two},
		"one":              {"live-store: " + one, "", nil, one},
		"none":             {"strict: true", "", nil, ""},
		"the environment":  {"live-store: " + one, two, nil, two},
		"the command line": {"live-store: " + one, two, []string{"--live-store", "GitStateStore/c=GitStateStore/d"}, "GitStateStore/c=GitStateStore/d"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KRATIX_SCHEDULE_LIVE_STORE", c.environment)
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, command := range []*cobra.Command{runCommand(streams{}), cleanupCommand(streams{})} {
				if err := command.ParseFlags(append([]string{"--config", file}, c.args...)); err != nil {
					t.Fatal(err)
				}
				if err := configureOne(command, "live-store"); err != nil {
					t.Fatal(err)
				}
				if got := command.Flags().Lookup("live-store").Value.String(); got != c.want {
					t.Errorf("%s: %q, want %q", command.Name(), got, c.want)
				}
			}
		})
	}
}
