package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/admission"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/status"
)

type besideFlags struct {
	schedules bool
	unread    bool
	account   string
	requires  bool
	with      string
	given     func(name string) bool
}

const ignoreKratix, stopForKratix = "ignore", "stop"

func (f *besideFlags) add(c *cobra.Command) {
	f.given = c.Flags().Changed
	c.Flags().BoolVar(&f.schedules, "schedule-only", false, "with --kube, leave the state stores to Kratix: create WorkPlacements for what may be written, and none for what would break a Destination. An admission policy must keep Kratix itself from placing")
	c.Flags().BoolVar(&f.unread, "without-stores", false, "with --schedule-only, compare WorkPlacements alone and read no state store: what others have put there is not noticed")
	c.Flags().StringVar(&f.account, "kratix-service-account", admission.Kratix().String(), "with --schedule-only, the ServiceAccount of Kratix's controller, as NAMESPACE/NAME")
	c.Flags().BoolVar(&f.requires, "require-policy", false, "with --schedule-only, exit with an error when the admission policy is not in force")
	c.Flags().StringVar(&f.with, "with-kratix", stopForKratix, "with --kube, what to do when another scheduler places Works: stop writing, or ignore it")
}

func (f *besideFlags) check(kube bool) error {
	switch {
	case f.schedules && !kube:
		return errors.New("--schedule-only makes WorkPlacements in a cluster: add --kube")
	case f.unread && !f.schedules:
		return errors.New("--without-stores is for --schedule-only: everything else reads the state stores")
	case f.requires && !f.schedules:
		return errors.New("--require-policy is about the admission policy that --schedule-only needs: add that, or leave it out")
	case f.schedules && f.given("with-kratix") && f.with == stopForKratix:
		return errors.New("--with-kratix stop is for a process that writes to state stores, and --schedule-only leaves them to Kratix: leave it out, or ignore another scheduler")
	case f.given("kratix-service-account") && !f.schedules:
		return errors.New("--kratix-service-account is for the admission policy that --schedule-only needs: add that, or leave it out")
	case f.with != ignoreKratix && f.with != stopForKratix:
		return fmt.Errorf("--with-kratix is %s or %s", stopForKratix, ignoreKratix)
	}
	if _, err := admission.ParseServiceAccount(f.account); err != nil {
		return fmt.Errorf("--kratix-service-account: %w", err)
	}
	return nil
}

// policyInterval is the interval between checks while the policy is in force, and policyRetry is
// the interval otherwise.
const (
	policyInterval = 30 * time.Second
	policyRetry    = 5 * time.Second
)

type policyWatch struct {
	check   *admission.Check
	changed func()
	verdict atomic.Pointer[admission.Verdict]
}

func (f *besideFlags) policyWatch(config *rest.Config, changed func()) (*policyWatch, error) {
	account, err := admission.ParseServiceAccount(f.account)
	if err != nil {
		return nil, err
	}
	check, err := admission.New(config, account)
	if err != nil {
		return nil, err
	}
	return &policyWatch{check: check, changed: changed}, nil
}

func (w *policyWatch) runCheck(ctx context.Context) admission.Verdict {
	verdict := w.check.InForce(ctx)
	if ctx.Err() != nil {
		return verdict // the process is stopping
	}
	before := w.verdict.Swap(&verdict)
	if before != nil && (before.State != verdict.State || before.Reason != verdict.Reason) {
		w.changed()
	}
	return verdict
}

var errPolicy = errors.New("--require-policy")

// watch repeats the check. If required is set, it calls end and returns once a check finds that the
// policy is not in force or denies this process.
func (w *policyWatch) watch(ctx context.Context, verdict admission.Verdict, required bool, end context.CancelCauseFunc) {
	for ; ctx.Err() == nil; verdict = w.runCheck(ctx) {
		pause := policyInterval
		if verdict.State != admission.InForce {
			pause = policyRetry
		}
		if required && (verdict.State == admission.NotInForce || verdict.State == admission.DeniesSelf) {
			end(exit{code: exitFailure, text: fmt.Sprintf("%v: %s", errPolicy, verdict)})
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (w *policyWatch) findings() []finding.Finding {
	verdict := w.verdict.Load()
	if verdict == nil || verdict.State == admission.InForce {
		return nil
	}
	rule := finding.PolicyNotInForce()
	switch {
	case verdict.State == admission.DeniesSelf:
		rule = finding.PolicyDeniesSelf()
	case verdict.State == admission.Unknown && verdict.Reason != admission.ReasonCannotPlace:
		rule = finding.PolicyUnchecked()
	}
	return []finding.Finding{{Rule: rule, Place: finding.Place{Object: verdict.Object}, Message: verdict.Message, Fix: verdict.Fix}}
}

func besideOther(mode status.Mode) (consequence, fix string) {
	if mode == status.Schedule {
		return "; what it places is not checked before it is written",
			"Stop it, or have the admission policy of deploy/schedule keep its ServiceAccount from making WorkPlacements too; then restart this process, which says so until then."
	}
	return "; nothing is written to a state store or in the status of a Work until this process is started again",
		"Use --schedule-only beside a running Kratix, or stop the other program; then restart this one. --with-kratix=ignore continues anyway."
}

func (k *cluster) otherScheduler() []finding.Finding {
	if k.ignoresOthers {
		return nil
	}
	who := k.source.OtherScheduler()
	if who == "" {
		return nil
	}
	consequence, fix := besideOther(k.mode)
	return []finding.Finding{{
		Rule: finding.OtherScheduler(), Place: finding.Place{Object: kratix.WorkPlacementKind + "s"},
		Message: "another scheduler places Works: " + who + consequence, Fix: fix,
	}}
}
