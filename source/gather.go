package source

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// Gather returns a Snapshot of decoded objects, which must have different names. Invalid objects
// become findings.
func Gather(objects []kratix.Object) Snapshot {
	var s Snapshot
	for _, object := range objects {
		at := finding.Place{Object: kratix.Describe(object)}
		if err := kratix.Check(object); err != nil {
			s.Findings = append(s.Findings, finding.Finding{Rule: finding.InvalidObject(), Place: at, Message: err.Error()})
			switch object.KindName() {
			case kratix.WorkKind:
				s.Rejected = append(s.Rejected, kratix.KeyOf(object))
			case kratix.DestinationKind:
				s.Unseen = true
			}
			continue
		}
		s.Origins.sorted = append(s.Origins.sorted, &origin{object, at})
		s.gather(object)
	}
	s.sort()
	return s
}

func (s *Snapshot) gather(object kratix.Object) {
	switch o := object.(type) {
	case *kratix.Work:
		s.Works = append(s.Works, o)
	case *kratix.Destination:
		s.Destinations = append(s.Destinations, o)
	case *kratix.GitStateStore:
		s.GitStateStores = append(s.GitStateStores, o)
	case *kratix.BucketStateStore:
		s.BucketStateStores = append(s.BucketStateStores, o)
	case *kratix.OCIStateStore:
		s.OCIStateStores = append(s.OCIStateStores, o)
	case *kratix.Secret:
		s.Secrets = append(s.Secrets, o)
	case *kratix.Rollout:
		s.Rollouts = append(s.Rollouts, o)
	case *profile.Profile:
		s.Profiles = append(s.Profiles, o)
	}
}

func (s *Snapshot) sort() {
	slices.SortFunc(s.Works, Compare)
	slices.SortFunc(s.Destinations, Compare)
	slices.SortFunc(s.GitStateStores, Compare)
	slices.SortFunc(s.BucketStateStores, Compare)
	slices.SortFunc(s.OCIStateStores, Compare)
	slices.SortFunc(s.Secrets, Compare)
	slices.SortFunc(s.Profiles, Compare)
	slices.SortFunc(s.Rollouts, Compare)
	slices.SortFunc(s.Rejected, kratix.Key.Compare)
	slices.SortFunc(s.Origins.sorted, compareOrigins)
	finding.Sort(s.Findings)
}
