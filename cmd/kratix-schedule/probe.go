package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

func probeCommand(std streams) *cobra.Command {
	var flags inputFlags
	var branch branchFlags
	output := newFormatFlag("json", "yaml", "markdown", "junit")
	command := &cobra.Command{
		Use:   "probe -f PATH",
		Short: "Check whether the state stores could be read and written",
		Long: `Check whether every state store of the input could be read and written with what
its Secret holds, and print what to do if it could not. A repository must have
the branch: it is read, and a push that leaves it unchanged is tried; in a
bucket, and in the registry's repository of each Destination on an
OCIStateStore, an upload is begun and aborted. Nothing is left behind.

Exit status: 0 all can be written, 1 the input has errors or no store, 2 wrong
usage or input path, 3 a store cannot be written.`,
		Example: `  kratix-schedule probe -f testdata/elastic-cloud
  kubectl get gitstatestores,bucketstatestores -o yaml | kratix-schedule probe -f - -f secrets/`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			in, err := flags.source(c, std)
			if err != nil {
				return err
			}
			snapshot, err := in.Snapshot(c.Context())
			if err != nil {
				return inputError(err)
			}
			return probe(c.Context(), std, storesOf(open.Commits{}, branch), snapshot, output)
		},
	}
	flags.add(command)
	branch.add(command)
	output.add(command, "the result")
	return command
}

const canBeWritten = "can be written"

func writeProbe(out io.Writer, format string, probed []probeOutput, result report.Report) error {
	if format == "json" || format == "yaml" {
		return writeDocument(out, format, probeDocument{listing.SchemaVersion, "probe", probed, report.Problems(result.Findings)})
	}
	return writeReport(out, format, result, report.Probed)
}

func probe(ctx context.Context, std streams, stores *open.Stores, snapshot source.Snapshot, output formatFlag) error {
	result := report.Report{Findings: slices.Clone(snapshot.Findings)}
	described := describedStores(snapshot)
	out := output.begin(std)
	probed := []probeOutput{}
	for _, store := range described {
		outcome := canBeWritten
		err := probeOne(ctx, stores, store)
		if err != nil {
			outcome = "cannot be written"
			if store.secretRejected {
				err = nil // the finding about the Secret is enough
			}
		}
		if err != nil {
			result.Findings = append(result.Findings, reconcile.Failure(finding.Place{Object: store.ref.String()}, err))
		}
		probed = append(probed, probeOutput{store.ref.String(), outcome == canBeWritten})
		_, _ = fmt.Fprintf(out, "%-17s  %s\n", outcome, printable.Line(store.ref.String()))
	}
	finding.Sort(result.Findings)
	if err := report.Text(out, result.Findings); err != nil {
		return err
	}
	if err := out.end(func(to io.Writer, format string) error { return writeProbe(to, format, probed, result) }); err != nil {
		return err
	}
	if len(described) == 0 {
		return exit{code: exitFindings, text: "there is no state store in the input: name its file with -f"}
	}
	return verdict(result)
}

type describedStore struct {
	ref    kratix.StateStoreReference
	spec   kratix.Object
	secret *kratix.Secret
	// secretRejected means that the Secret cannot be used, as a finding reports.
	secretRejected bool
}

func probeOne(ctx context.Context, stores *open.Stores, store describedStore) error {
	opened, err := stores.Open(store.ref, store.spec, store.secret)
	if err != nil {
		return err
	}
	prober, ok := statestore.ViewOf("", opened).Store.(statestore.Prober)
	if !ok {
		return errors.New("a store of this kind cannot be probed")
	}
	return prober.Probe(ctx)
}

// describedStores returns the stores of the input, sorted. An OCIStateStore has a store for each
// Destination.
func describedStores(snapshot source.Snapshot) []describedStore {
	var all []describedStore
	add := func(ref kratix.StateStoreReference, spec kratix.StateStore) {
		store, secret := describedStore{ref: ref, spec: spec}, spec.SecretReference()
		i := slices.IndexFunc(snapshot.Secrets, func(s *kratix.Secret) bool { return secret != nil && kratix.KeyOf(s) == secret.Key() })
		if i >= 0 {
			store.secret = snapshot.Secrets[i]
		} else if secret != nil {
			name := kratix.SecretKind + " " + secret.Key().String()
			store.secretRejected = slices.ContainsFunc(snapshot.Findings, func(f finding.Finding) bool { return f.Place.Object == name })
		}
		all = append(all, store)
	}
	for _, store := range snapshot.StateStores.All() {
		if store.KindName() != kratix.OCIStateStoreKind {
			add(kratix.ReferenceTo(store), store)
		}
	}
	for _, d := range snapshot.Destinations {
		if store := snapshot.Find(*d.Spec.StateStoreRef); store != nil && store.KindName() == kratix.OCIStateStoreKind {
			add(*d.Spec.StateStoreRef, store)
		}
	}
	slices.SortFunc(all, func(a, b describedStore) int {
		return cmp.Or(cmp.Compare(a.ref.Kind, b.ref.Kind), cmp.Compare(a.ref.Name, b.ref.Name), cmp.Compare(a.ref.Dir, b.ref.Dir))
	})
	return all
}
