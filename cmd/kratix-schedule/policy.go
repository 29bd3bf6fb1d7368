package main

import (
	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/reconcile"
)

// policyFlags are what a user decides about rounds; run, plan and rebalance
// have all of them, so that a plan shows what run would do.
type policyFlags struct {
	allowDeletions bool
	misplaced      onMisplaced
	conflict       conflictFlag
	owner          string
	adopt          bool
	unpacked       unpackedFlag
}

func (f *policyFlags) add(c *cobra.Command) {
	f.misplaced.add(c)
	f.conflict.add(c)
	f.unpacked.add(c)
	c.Flags().BoolVar(&f.allowDeletions, "allow-deletions", false, "remove placements even if they are most of a Destination's")
	c.Flags().StringVar(&f.owner, "owner-id", "", "id of this writer, in records and commits; what another id has recorded is left alone")
	c.Flags().BoolVar(&f.adopt, "adopt", false, "take over what another owner has recorded")
}

func (f *policyFlags) policy() reconcile.Policy {
	return reconcile.Policy{
		AllowDeletions: f.allowDeletions, OnMisplaced: f.misplaced.is, OnConflict: f.conflict.policy(), Owner: f.owner, Adopt: f.adopt,
		MaxUnpacked: int64(f.unpacked.most),
	}
}
