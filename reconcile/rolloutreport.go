package reconcile

import (
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/rollout"
)

func (r *reporter) addRollouts(all *rolledOut) {
	r.add(all.findings...)
	r.report.Again = r.report.Again || all.continues()
	for i := range all.runs {
		r.report.Rollouts = append(r.report.Rollouts, all.runs[i].report())
	}
}

func (r *rolloutRun) report() report.Rollout {
	made := report.Rollout{
		Name: r.rollout, Promise: r.promise, Revision: r.input.Revision, Phase: string(r.result.Phase), Reason: r.result.Reason,
	}
	for i := range r.result.Waves {
		s := &r.result.Waves[i]
		made.Waves = append(made.Waves, report.RolloutWave{
			Name: s.Name, Destinations: s.Destinations, Updated: s.Updated, InFlight: s.InFlight, Failed: s.Failed, Reason: s.Reason,
		})
	}
	works := map[string]bool{}
	for i, target := range r.input.Targets {
		d := &r.result.Decisions[i]
		one := report.RolloutDestination{Name: target.Destination, Wave: rollout.RestWave, Updated: true, Reason: d.Reason}
		if d.Wave < len(r.input.Spec.Waves) {
			one.Wave = r.input.Spec.Waves[d.Wave].Name
		}
		for _, u := range r.units[i] {
			works[kratix.KeyOf(u.work).String()] = true
			one.Updated = one.Updated && u.Stored == u.Wanted && !u.Mixed
			if u.Mark.Run.Equal(r.result.Run) && !u.Mark.Run.IsZero() {
				one.Since, made.Since = u.Mark.Since, r.result.Run
			}
		}
		made.Destinations = append(made.Destinations, one)
	}
	made.Works = slices.Sorted(maps.Keys(works))
	return made
}
