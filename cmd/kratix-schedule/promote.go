package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/promoted"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

type promoteFlags struct {
	enabled bool
	live    liveStores
}

func (f *promoteFlags) add(c *cobra.Command) {
	c.Flags().BoolVar(&f.enabled, "promote", false, "with --kube, take what Kratix has placed and written where no cluster reads, and write it to the live state stores as far as it breaks no Destination. The annotation "+scheduler.StateStoreAnnotation+" of a Destination names its live store as KIND/NAME")
	addConfigFlag(c)
	c.Flags().Var(&f.live, "live-store", "with --promote, the live state store of Destinations without the annotation, as KIND/NAME=KIND/NAME: the one that Kratix writes, and the live one; may be repeated")
	configurable(c, "live-store")
}

// configure sets --live-store from the configuration, if promotion is enabled.
func (f *promoteFlags) configure(c *cobra.Command) error {
	if !f.enabled {
		return nil
	}
	return configureOne(c, "live-store")
}

func (f *promoteFlags) check(flags runFlags) error {
	switch {
	case !f.enabled && len(f.live.stores) > 0:
		return errors.New("--live-store is for --promote: add that, or leave it out")
	case !f.enabled:
		return nil
	case !flags.kube.enabled:
		return errors.New("--promote takes what Kratix has placed in a cluster: add --kube")
	case flags.kube.beside.schedules:
		return errors.New("--promote leaves placing to Kratix and --schedule-only does it: choose one")
	case flags.dryRun:
		return errors.New("--promote writes to the live state stores and --dry-run to none: choose one")
	case flags.policy.misplaced.is == scheduler.Move:
		return errors.New("--promote leaves everything where Kratix has placed it: leave --on-misplaced move out")
	}
	return nil
}

type liveStores struct {
	stores promoted.Stores
	text   []string
}

var (
	_ pflag.Value      = (*liveStores)(nil)
	_ pflag.SliceValue = (*liveStores)(nil)
)

func liveStorePattern() string {
	one := fmt.Sprintf("(%s)/[^/=\\s]+", strings.Join(kratix.StateStoreKinds(), "|"))
	return "^" + one + "=" + one + "$"
}

func (l *liveStores) Set(text string) error {
	written, live, _ := strings.Cut(text, "=")
	from, err := promoted.ParseReference(written)
	to, toErr := promoted.ParseReference(live)
	switch {
	case err != nil || toErr != nil:
		return fmt.Errorf("%q must be KIND/NAME=KIND/NAME, where KIND is %s", text, strings.Join(kratix.StateStoreKinds(), ", "))
	case from == to:
		return fmt.Errorf("%q: Kratix writes to that very state store", text)
	}
	if known, twice := l.stores[from]; twice && known != to {
		return fmt.Errorf("%q: %s/%s has the live state store %s/%s already", text, from.Kind, from.Name, known.Kind, known.Name)
	}
	if l.stores == nil {
		l.stores = promoted.Stores{}
	}
	l.stores[from] = to
	l.text = append(l.text, text)
	return nil
}

func (l *liveStores) String() string { return strings.Join(l.text, ",") }

func (*liveStores) Type() string { return "KIND/NAME=KIND/NAME" }

func (l *liveStores) Append(text string) error { return l.Set(text) }

func (l *liveStores) Replace(texts []string) error {
	*l = liveStores{}
	for _, text := range texts {
		if err := l.Set(text); err != nil {
			return err
		}
	}
	return nil
}

func (l *liveStores) GetSlice() []string { return slices.Clone(l.text) }
