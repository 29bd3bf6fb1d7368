package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

// policyFlags are the flags that determine the policy of rounds.
type policyFlags struct {
	removals  removalFlags
	misplaced onMisplaced
	conflict  conflictFlag
	apply     applyFlag
	profiles  profileAgeFlag
	names     nameFlag
	owner     string
	adopt     bool
	unpacked  unpackedFlag
}

func (f *policyFlags) add(c *cobra.Command) {
	f.misplaced.add(c)
	f.conflict.add(c)
	f.apply.add(c)
	f.profiles.add(c)
	f.unpacked.add(c)
	f.removals.add(c)
	f.names.add(c)
	c.Flags().StringVar(&f.owner, "owner-id", "", "id of this controller, in records and commits; what another id has recorded is left alone. With --kube it is the cluster's by default: the UID of namespace kube-system")
	c.Flags().BoolVar(&f.adopt, "adopt", false, "take over what another owner has recorded")
}

func (f *policyFlags) policy() reconcile.Policy {
	return reconcile.Policy{
		Allow: f.removals.allowance(), RemovalWindow: f.removals.window,
		OnMisplaced: f.misplaced.is, OnConflict: f.conflict.policy(), CheckApply: f.apply.policy(), ProfileMaxAge: f.profiles.most, Owner: f.owner, Adopt: f.adopt, AllowNames: f.names,
		MaxUnpacked: int64(f.unpacked.most),
	}
}

// ownedByCluster sets the controller ID to the ID of the cluster, unless --owner-id is given.
func (f *policyFlags) ownedByCluster(c *cobra.Command, from *kube.Source, std streams) error {
	if c.Flags().Changed("owner-id") {
		return nil
	}
	id, err := from.ClusterID(c.Context())
	if c.Context().Err() != nil {
		return nil // the process is stopping, which is not a failure
	}
	if errors.Is(err, kube.ErrNoClusterID) {
		_, _ = fmt.Fprintf(std.err, "warning: no controller ID: %s; let the ServiceAccount get the namespace kube-system, or give --owner-id\n", printable.Line(oneLine(err.Error())))
		return nil
	}
	f.owner = id
	return err
}
