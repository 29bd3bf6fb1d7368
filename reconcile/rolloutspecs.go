package reconcile

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/rollout"
)

// rolloutSpecs are the Rollouts of a round, sorted by name.
type rolloutSpecs struct {
	all []rolloutSpec
	// isUncertain means that Rollouts may exist that are not in the input. Their placements stay as
	// they are.
	isUncertain bool
	findings    []finding.Finding
	// of caches the Rollout of each Work, or nil if none selects the Work.
	of map[*kratix.Work]*rolloutSpec
}

// rolloutSpec is a Rollout. Spec is nil if it is invalid. The Works that it selects then stay as
// they are.
type rolloutSpec struct {
	name  string
	works rollout.Works
	*rollout.Spec
	why string
}

// newRolloutSpecs compiles the Rollouts, with findings about invalid ones.
func newRolloutSpecs(o *observed) *rolloutSpecs {
	specs := &rolloutSpecs{isUncertain: o.Incomplete || len(o.RejectedRollouts) > 0, of: map[*kratix.Work]*rolloutSpec{}}
	for _, r := range o.Rollouts {
		one := rolloutSpec{name: r.Name}
		var err error
		if one.Spec, err = rollout.Compile(r); err != nil {
			one.why = "Rollout " + r.Name + " is invalid"
			place := o.Origins.Of(r)
			place.Object = kratix.Describe(r)
			specs.findings = append(specs.findings, finding.Finding{
				Rule: finding.InvalidObject(), Place: place, Message: err.Error() + "; what it selects stays as it is",
			})
		}
		if one.works, err = rollout.CompileWorks(r); err == nil {
			specs.all = append(specs.all, one)
		}
	}
	return specs
}

// ofWork returns the first Rollout that selects a Work, or nil if none does.
func (s *rolloutSpecs) ofWork(work *kratix.Work) *rolloutSpec {
	if known, ok := s.of[work]; ok {
		return known
	}
	var found *rolloutSpec
	for i := range s.all {
		one := &s.all[i]
		if !one.works.Selects(work.Spec.PromiseName, work.IsDependency(), work.Labels) {
			continue
		}
		if found == nil {
			found = one
			continue
		}
		s.findings = append(s.findings, finding.Finding{
			Rule: finding.RolloutIgnored(), Place: finding.Place{Object: kratix.RolloutKind + " " + one.name},
			Message: fmt.Sprintf("it selects %s, which Rollout %s selects already", kratix.Describe(work), found.name),
		})
	}
	s.of[work] = found
	return found
}

// ofRecord returns the Rollout of a recorded placement without a Work, or nil.
func (s *rolloutSpecs) ofRecord(record *recordView) *rolloutSpec {
	p := record.Placement
	if mark := record.Rollout; mark != nil {
		at, found := slices.BinarySearchFunc(s.all, mark.Name, func(one rolloutSpec, name string) int { return strings.Compare(one.name, name) })
		if found {
			return &s.all[at]
		}
	}
	for i := range s.all {
		if one := &s.all[i]; one.works.Selector.Empty() && one.works.SelectsPromise(p.Spec.PromiseName, p.IsDependency()) {
			return one
		}
	}
	return nil
}

// isMissing reports whether a mark names a Rollout that may exist and is not in the input.
func (s *rolloutSpecs) isMissing(mark *layout.Rollout) bool {
	return s.isUncertain && mark != nil && !slices.ContainsFunc(s.all, func(one rolloutSpec) bool { return one.name == mark.Name })
}

// whyHeld returns the reason why a placement waits without regard to waves, or "". spec and record
// may be nil.
func (s *rolloutSpecs) whyHeld(spec *rolloutSpec, record *recordView) string {
	switch {
	case spec != nil && spec.Spec == nil:
		return spec.why
	case spec == nil && record != nil && s.isMissing(record.Rollout):
		return "Rollout " + record.Rollout.Name + " cannot be read"
	}
	return ""
}

// maxAhead is the longest time by which a mark may be ahead of the clock. Anyone who can write to
// the store can write a record.
const maxAhead = 24 * time.Hour

// trusted returns the mark of a record, or nil if there is none or it is too far ahead of the
// clock.
func trusted(record *recordView, now time.Time) *layout.Rollout {
	mark := record.Rollout
	if mark == nil || mark.Run.After(now.Add(maxAhead)) || mark.Since.After(now.Add(maxAhead)) {
		return nil
	}
	return mark
}
