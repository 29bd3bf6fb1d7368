package main

import (
	"cmp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
)

type applyFlag applycheck.Policy

var _ pflag.Value = (*applyFlag)(nil)

func (f *applyFlag) add(command *cobra.Command) {
	command.Flags().Var(f, "check-apply", "what to do about an object that the API server of its Destination would refuse: quarantine its placement, warn, or off (nothing is checked). Without the annotation "+
		"kratix-schedule.io/kubernetes-version of the Destination, and without a profile of it, what depends on the version is a warning")
}

func (f *applyFlag) policy() applycheck.Policy {
	return cmp.Or(applycheck.Policy(*f), applycheck.Quarantine)
}

func (f *applyFlag) String() string { return string(f.policy()) }

func (f *applyFlag) Set(name string) error {
	policy, err := applycheck.ParsePolicy(name)
	*f = applyFlag(policy)
	return err
}

func (*applyFlag) Type() string { return "policy" }
