package main

import (
	"cmp"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
)

type conflictFlag dedupe.Policy

var _ pflag.Value = (*conflictFlag)(nil)

func (f *conflictFlag) add(command *cobra.Command) {
	command.Flags().Var(f, "on-conflict", "what to do about a conflict: quarantine the newer, share what is equal, or only report")
}

func (f *conflictFlag) policy() dedupe.Policy {
	return cmp.Or(dedupe.Policy(*f), dedupe.Quarantine)
}

func (f *conflictFlag) String() string { return string(f.policy()) }

func (f *conflictFlag) Set(name string) error {
	policy, err := dedupe.ParsePolicy(name)
	*f = conflictFlag(policy)
	return err
}

func (*conflictFlag) Type() string { return "policy" }
