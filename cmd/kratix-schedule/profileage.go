package main

import (
	"cmp"
	"time"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// profileAge is the default age above which a profile is stale.
const profileAge = 30 * 24 * time.Hour

type profileNamespaceFlag struct{ name string }

func (f *profileNamespaceFlag) add(c *cobra.Command) {
	c.Flags().StringVar(&f.name, "profile-namespace", "", "with --kube, the namespace of the ConfigMaps with the label "+profile.Label+", which contain the profiles of Destinations; by default the Pod's, else "+kratix.SystemNamespace)
}

// namespace returns the namespace to read profiles from, or "" if none are read.
func (f *profileNamespaceFlag) namespace(policy applycheck.Policy) string {
	if policy == applycheck.Off {
		return ""
	}
	return cmp.Or(f.name, ownNamespace())
}

type profileAgeFlag struct{ most time.Duration }

func (f *profileAgeFlag) add(c *cobra.Command) {
	c.Flags().DurationVar(&f.most, "profile-max-age", profileAge, "age of a Destination's profile above which it is reported as stale; 0 means never")
}
