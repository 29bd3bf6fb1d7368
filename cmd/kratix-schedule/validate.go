package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
)

func validateCommand(std streams) *cobra.Command {
	var flags inputFlags
	var onConflict conflictFlag
	var secondRequest bool
	command := &cobra.Command{
		Use:   "validate PATH...",
		Short: "Check Works without writing anything, for CI",
		Long: `Read Works and Destinations, place them, and check what Flux would say of the
result. Nothing is written and no store is needed: the check starts from empty
ones. Without any Destination in the input, Works are checked as if one took
them all.`,
		Example: `  kratix-schedule validate testdata/elastic-cloud
  kratix-schedule work --from build/kratix --promise redis | kratix-schedule validate - destinations/`,
		RunE: func(c *cobra.Command, args []string) error {
			in, err := flags.source(c, args, std)
			if err != nil {
				return err
			}
			assuming := &assumingSource{Source: in, std: std}
			reconciler := &reconcile.Reconciler{
				Source: assuming, Stores: memoryStores{}, Finish: reconcile.Preview,
				Policy: reconcile.Policy{OnConflict: onConflict.policy()},
			}
			var second *secondRequests
			if secondRequest {
				second = &secondRequests{Source: in}
				reconciler.Source = second
			}
			result, err := reconciler.Round(c.Context())
			if err != nil {
				return inputError(err)
			}
			if second != nil {
				result.Findings = second.told(result.Findings)
			}
			if err := report.Text(std.out, result.Findings); err != nil {
				return err
			}
			if err := result.Troubled().PlacementLines(std.out); err != nil {
				return err
			}
			if _, err := fmt.Fprintln(std.out, "checked: "+result.Summary()); err != nil {
				return err
			}
			return verdict(result)
		},
	}
	flags.add(command)
	onConflict.add(command)
	command.Flags().BoolVar(&secondRequest, "second-request", false, "check as well whether each request could be made twice on one Destination")
	return command
}

// assumingSource adds Destinations to an input that has none.
type assumingSource struct {
	source.Source
	std streams
}

// Snapshot reads the input, and says so when it assumes Destinations.
func (s *assumingSource) Snapshot(ctx context.Context) (source.Snapshot, error) {
	snapshot, err := s.Source.Snapshot(ctx)
	if err != nil || len(snapshot.Destinations) > 0 || len(snapshot.Works) == 0 {
		return snapshot, err
	}
	snapshot.Destinations = scheduler.Assume(snapshot.Works)
	store := &kratix.GitStateStore{}
	store.Name = snapshot.Destinations[0].Spec.StateStoreRef.Name
	snapshot.GitStateStores = append(snapshot.GitStateStores, store)
	_, _ = fmt.Fprintln(s.std.err, "kratix-schedule: there is no Destination in the input; the Works are checked as if one took them all")
	return snapshot, nil
}
