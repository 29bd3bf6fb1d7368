package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func (r *reporter) addProfiles(o *observed, policy Policy, now time.Time, known *outcomes) {
	if !policy.checksApply() {
		return
	}
	used := map[*profile.Profile]bool{}
	for _, d := range slices.Concat(o.Destinations, o.Unwritten) {
		p := o.lookup.profiles[d.Name]
		if p == nil || used[p] {
			continue
		}
		used[p] = true
		r.report.Profiles = append(r.report.Profiles, report.NewProfile(p, now))
		r.add(partialFindings(o, p)...)
		if known.cluster(d, p).Disputed() {
			r.add(disputedFinding(o, d, p))
		}
		if most := policy.ProfileMaxAge; most > 0 && !now.IsZero() && p.Age(now) > most {
			r.add(finding.Finding{
				Rule: finding.StaleProfile(), Place: profilePlace(o, p),
				Message: fmt.Sprintf("the profile of %s was taken on %s, more than %s ago", p.Name, p.Taken.UTC().Format(time.DateOnly), days(most)),
			})
		}
	}
	slices.SortFunc(r.report.Profiles, func(a, b report.Profile) int { return strings.Compare(a.Destination, b.Destination) })
	for _, p := range o.Profiles {
		if !used[p] && !o.Unseen {
			r.add(finding.Finding{Rule: finding.UnusedProfile(), Place: profilePlace(o, p), Message: "there is no Destination " + p.Name})
		}
	}
}

func days(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d == day:
		return "1 day"
	case d%day == 0:
		return fmt.Sprintf("%d days", d/day)
	}
	return d.String()
}

func profilePlace(o *observed, p *profile.Profile) finding.Place {
	at := o.Origins.Of(p)
	at.Object = kratix.Describe(p)
	return at
}

func disputedFinding(o *observed, d *kratix.Destination, p *profile.Profile) finding.Finding {
	at := o.Origins.Of(d)
	at.Object = kratix.Describe(d)
	return finding.Finding{
		Rule: finding.DisputedProfile(), Place: at,
		Message: fmt.Sprintf("its annotation %s is %q, and its profile has Kubernetes %s: what depends on the version or on the profile is only a warning",
			scheduler.KubernetesVersionAnnotation, d.Annotations[scheduler.KubernetesVersionAnnotation], p.KubernetesVersion),
		Related: []finding.Related{{Place: profilePlace(o, p), Message: "the profile"}},
	}
}

// partialFindings returns a finding for each group that is missing from a profile.
func partialFindings(o *observed, p *profile.Profile) []finding.Finding {
	var findings []finding.Finding
	for _, unread := range p.Unread {
		message := fmt.Sprintf("when the profile of %s was taken, the API server could not list the group %s", p.Name, unread.Group)
		if unread.Reason != "" {
			message += ": " + unread.Reason
		}
		findings = append(findings, finding.Finding{Rule: finding.PartialProfile(), Place: profilePlace(o, p), Message: message})
	}
	return findings
}
