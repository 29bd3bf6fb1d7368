package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
)

// Profile describes a profile that a Destination was checked with.
type Profile struct {
	Destination       string    `json:"destination"`
	KubernetesVersion string    `json:"kubernetesVersion"`
	Taken             time.Time `json:"taken"`
	// AgeDays is the age of the profile in whole days, or 0 if the current time is not known.
	AgeDays int `json:"ageDays"`
}

// NewProfile returns the description of a profile. A zero now means that the current time is not
// known.
func NewProfile(p *profile.Profile, now time.Time) Profile {
	of := Profile{Destination: p.Name, KubernetesVersion: p.KubernetesVersion, Taken: p.Taken.UTC()}
	if !now.IsZero() {
		of.AgeDays = int(p.Age(now) / (24 * time.Hour))
	}
	return of
}

func (p Profile) age() string {
	switch p.AgeDays {
	case 0:
		return "of today"
	case 1:
		return "1 day old"
	}
	return fmt.Sprintf("%d days old", p.AgeDays)
}

const maxNamedProfiles = 3

// ProfileLine returns a line with the profiles and their ages, or "" without profiles.
func (r Report) ProfileLine() string {
	if len(r.Profiles) == 0 {
		return ""
	}
	if len(r.Profiles) > maxNamedProfiles {
		oldest := r.Profiles[0]
		for _, p := range r.Profiles {
			if p.Taken.Before(oldest.Taken) {
				oldest = p
			}
		}
		return fmt.Sprintf("checked with the profiles of %d Destinations; the oldest is that of %s (%s, %s)", len(r.Profiles), oldest.Destination, oldest.KubernetesVersion, oldest.age())
	}
	var names []string
	for _, p := range r.Profiles {
		names = append(names, fmt.Sprintf("%s (%s, %s)", p.Destination, p.KubernetesVersion, p.age()))
	}
	if last := len(names) - 1; last > 0 {
		return "checked with the profiles of " + strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return "checked with the profile of " + names[0]
}
