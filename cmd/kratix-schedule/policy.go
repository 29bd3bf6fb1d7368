package main

import (
	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/reconcile"
)

// policyFlags are what a user decides about rounds; run, plan and rebalance
// have all of them, so that a plan shows what run would do.
type policyFlags struct {
	removals  removalFlags
	misplaced onMisplaced
	conflict  conflictFlag
	owner     string
	adopt     bool
}

func (f *policyFlags) add(c *cobra.Command) {
	f.misplaced.add(c)
	f.conflict.add(c)
	f.removals.add(c)
	c.Flags().StringVar(&f.owner, "owner-id", "", "id of this writer, in records and commits; what another id has recorded is left alone")
	c.Flags().BoolVar(&f.adopt, "adopt", false, "take over what another owner has recorded")
}

func (f *policyFlags) policy() reconcile.Policy {
	return reconcile.Policy{
		Allow: f.removals.allowance(), RemovalWindow: f.removals.window,
		OnMisplaced: f.misplaced.is, OnConflict: f.conflict.policy(), Owner: f.owner, Adopt: f.adopt,
	}
}
