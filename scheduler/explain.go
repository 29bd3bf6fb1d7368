package scheduler

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Explanation describes the Destinations of one group of a Work, and why it is not on the others.
type Explanation struct {
	Directory string
	// Asked are the group's requirements on a Destination's labels.
	Asked []Asked
	// Verdicts has one verdict for each Destination, sorted by name, and then one for each
	// Destination that has the group and is not in the input.
	Verdicts []Verdict
	// Summary counts the verdicts: "0/3 Destinations fit: 2 lack a=b, 1 is cordoned".
	Summary string
}

// Asked is one requirement on a Destination's labels, with its source.
type Asked struct {
	// Requirement is formatted as by kubectl: "a=1", "a in (1,2)".
	Requirement string
	// Source is the source of the selector, such as kratix.PromiseSource.
	Source string
	// Overruled means that another selector for the same label takes precedence.
	Overruled bool
}

// Verdict is the outcome of a plan for one Destination, with the reason.
type Verdict struct {
	Destination string
	Outcome     Outcome
	Reason      string
}

// Outcome is the result of a plan for one group and Destination.
type Outcome string

// The values of Outcome.
const (
	// There means that the group is on the Destination already.
	There Outcome = "there"
	// Taken means that this plan places the group on the Destination.
	Taken Outcome = "taken"
	// Leaves means that this plan removes the group from the Destination.
	Leaves Outcome = "leaves"
	// Passed means that the Destination fits, but the group is not placed on it.
	Passed Outcome = "passed over"
	// Unfit means that the Destination does not fit, or accepts no new placements.
	Unfit Outcome = "no"
)

// Explain plans the input and returns an explanation for each group of one Work. It returns nil for
// a Work that is not in the input or has no groups.
func Explain(in Input, work kratix.Key) []Explanation {
	r := newRound(in, newFleet(in.Destinations))
	seen := map[*job][]verdict{}
	r.observe = func(j *job) {
		if kratix.KeyOf(j.work) == work {
			seen[j] = r.choices(j)
		}
	}
	result := r.plan()
	var explanations []Explanation
	jobs, _ := r.jobsOf(work)
	for i := range jobs {
		j := &jobs[i]
		verdicts, chosen := seen[j]
		if !chosen {
			verdicts = r.verdicts(j)
		}
		for _, p := range r.chain(j) { // a Destination that has the group counts as fitting even if it accepts no new placements
			if at, ok := r.fleet.byName[p.Spec.TargetDestinationName]; ok && verdicts[at].kind == closed {
				verdicts[at] = verdict{}
			}
		}
		explanations = append(explanations, r.explain(j, verdicts, result))
	}
	return explanations
}

func (r *round) explain(j *job, verdicts []verdict, result Result) Explanation {
	e := Explanation{Directory: j.group.Directory, Asked: askedOf(j), Summary: summarise(verdicts)}
	for i, v := range verdicts {
		entry := Verdict{Destination: r.fleet.members[i].Name, Outcome: Unfit, Reason: v.clause(r.fleet.members[i])}
		if v.kind == open {
			entry.Outcome = Passed
			if entry.Reason == "" {
				entry.Reason = r.notTaken(j)
			}
		}
		r.outcome(j, &entry, result)
		e.Verdicts = append(e.Verdicts, entry)
	}
	for _, p := range r.chain(j) {
		if _, known := r.fleet.byName[p.Spec.TargetDestinationName]; !known {
			e.Verdicts = append(e.Verdicts, Verdict{p.Spec.TargetDestinationName, There, p.Reason})
		}
	}
	return e
}

// notTaken returns the reason why a group is not on a Destination that fits, if the plan made no
// choice for the group.
func (r *round) notTaken(j *job) string {
	if why := r.possiblyOn(j); why != "" && j.first == none && !j.work.IsDependency() {
		return "it fits, but the group waits: " + why
	}
	return "it fits, and the group is elsewhere already"
}

func (r *round) outcome(j *job, entry *Verdict, result Result) {
	for _, p := range r.chain(j) {
		if p.Spec.TargetDestinationName == entry.Destination {
			entry.Outcome, entry.Reason = There, p.Reason
			if p.New {
				entry.Outcome = Taken
			}
			return
		}
	}
	for _, m := range result.Moved {
		if m.Work() == kratix.KeyOf(j.work) && m.Spec.ID == j.group.ID && m.Spec.TargetDestinationName == entry.Destination {
			entry.Outcome, entry.Reason = Leaves, "the group is on "+m.To+" now"
		}
	}
	if isOnDemand(j.work) && entry.Outcome == Passed {
		entry.Reason = "no request of Promise " + j.work.Spec.PromiseName + " is there (" + DependenciesAnnotation + ": " + OnDemand + ")"
	}
}

func (r *round) chain(j *job) []*Placement {
	var all []*Placement
	for n := j.first; n != none; n = r.next[n] {
		all = append(all, &r.placed[n])
	}
	return all
}

func askedOf(j *job) []Asked {
	if isDryRun(j.work) {
		return []Asked{{Requirement: j.fit.asked.String(), Source: "the Work's label " + kratix.DryRunLabel}}
	}
	merged, overruled := merge(j.group.DestinationSelectors)
	var asked []Asked
	for _, r := range merged {
		asked = append(asked, Asked{Requirement: r.String(), Source: r.source})
		for _, lower := range overruled {
			if lower.key == r.key && !isListed(asked, lower) {
				asked = append(asked, Asked{Requirement: lower.String(), Source: lower.source, Overruled: true})
			}
		}
	}
	return asked
}

func isListed(asked []Asked, r requirement) bool {
	for _, a := range asked {
		if a.Overruled && a.Requirement == r.String() && a.Source == r.source {
			return true
		}
	}
	return false
}

func (v verdict) clause(s member) string {
	switch {
	case v.kind == unreadStore:
		return "it fits, but its store cannot be read"
	case v.kind == absentStore:
		return "it fits, but its store is not there"
	case v.kind == closed && v.reason == "full":
		return fmt.Sprintf("it fits, but is full: it takes %d resource placements", s.capacity)
	case v.kind == closed:
		return "it fits, but is " + v.reason
	}
	return v.reason
}

// choices returns the verdict on each Destination, including the reasons of the choice.
func (r *round) choices(j *job) []verdict {
	all := r.verdicts(j)
	seed := requestOf(j.work).seed()
	homes := r.homes.of(seed)
	best := r.best(j, seed, homes, nil)
	chosen, _ := r.choose(j)
	for i := range all {
		if all[i].kind != open || i == chosen {
			continue
		}
		s := &r.fleet.members[i]
		won := &r.fleet.members[chosen]
		switch {
		case best.ready && !s.ready:
			all[i].reason = "it fits, but is not ready"
		case r.in.Conflicts != nil && r.conflicts(j, i) && !r.conflicts(j, chosen):
			all[i].reason = "it fits, but it would be held back there"
		case homes != none && r.homes.has(homes, chosen) && !r.homes.has(homes, i):
			all[i].reason = "it fits, but another group of the same request is on " + won.Name
		default:
			all[i].reason = fmt.Sprintf("it fits, but %s draws better (weight %d, here %d)", won.Name, won.weight, s.weight)
		}
	}
	return all
}
