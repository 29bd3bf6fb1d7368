// Package promoted is for promote mode, in which Kratix schedules and writes, and this program
// writes the same placements to live state stores. It converts the snapshot of the cluster to the
// input of a round.
package promoted

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// Source converts the snapshots of a cluster in which Kratix schedules. It is also the
// reconcile.Planner for its last Snapshot. It is not safe for concurrent use.
type Source struct {
	cluster source.Source
	live    Stores
	planner scheduler.Assigned

	// last contains the decisions of the last snapshot, and works contains them by WorkPlacement.
	// targets contains the name of the Destination of each Work.
	last    decisions
	works   map[kratix.Key]decision
	targets map[*kratix.Work]string
	// moved contains the Destinations of the last snapshot that have a live state store, by name.
	moved map[string]moved
}

var _ source.Source = (*Source)(nil)

// New returns the Source for a cluster. live maps the state stores of Destinations without an
// annotation to live state stores.
func New(cluster source.Source, live Stores) *Source {
	s := &Source{cluster: cluster, live: live}
	s.planner.To = func(work *kratix.Work) string { return s.targets[work] }
	return s
}

// Plan places each Work on the Destination of its WorkPlacement.
func (s *Source) Plan(in scheduler.Input) scheduler.Result { return s.planner.Plan(in) }

// Live returns the live state stores of the Destinations of the last Snapshot, by name.
func (s *Source) Live() map[string]kratix.StateStoreReference {
	live := make(map[string]kratix.StateStoreReference, len(s.moved))
	for name, d := range s.moved {
		live[name] = *d.to.Spec.StateStoreRef
	}
	return live
}

// Changes reports the changes of the cluster.
func (s *Source) Changes(ctx context.Context) (<-chan struct{}, error) { return s.cluster.Changes(ctx) }

// Snapshot returns the snapshot of the cluster, converted to the input of a round.
func (s *Source) Snapshot(ctx context.Context) (source.Snapshot, error) {
	seen, err := s.cluster.Snapshot(ctx)
	if err != nil {
		return source.Snapshot{}, err
	}
	made, unwritten, findings := s.destinations(seen)
	if !s.last.areCurrent(seen) {
		s.last = s.decide(seen)
	}

	snapshot := source.Gather(made) // the snapshot of the cluster has the findings already
	snapshot.Works, snapshot.Unwritten = s.last.decided, slices.Concat(seen.Unwritten, unwritten)
	snapshot.Assigned, snapshot.Assignments = true, s.last.assignments
	snapshot.Secrets, snapshot.Profiles, snapshot.FromAPI = seen.Secrets, seen.Profiles, seen.FromAPI
	snapshot.Deleted, snapshot.DeletedPlacements = seen.Deleted, seen.DeletedPlacements
	snapshot.Rejected = slices.Concat(seen.Rejected, s.last.rejected)
	slices.SortFunc(snapshot.Rejected, kratix.Key.Compare)
	snapshot.Rejected = slices.Compact(snapshot.Rejected)
	snapshot.RejectedPlacements = slices.Concat(seen.RejectedPlacements, s.last.unusable)
	slices.SortFunc(snapshot.RejectedPlacements, kratix.Key.Compare)
	snapshot.Incomplete, snapshot.Unseen = seen.Incomplete, seen.Unseen
	snapshot.Findings = slices.Concat(seen.Findings, findings, s.last.findings)
	finding.Sort(snapshot.Findings)
	return snapshot, nil
}

// decision is a WorkPlacement, and the Work that was made from it. original is its usable Work in
// the cluster, or nil.
type decision struct {
	placement      *kratix.WorkPlacement
	work, original *kratix.Work
}

type decisions struct {
	placements []*kratix.WorkPlacement
	works      []*kratix.Work
	// decided contains a Work for each usable WorkPlacement that is not being deleted. assignments
	// and unusable are keys of WorkPlacements. rejected are the keys of the Works of unusable
	// WorkPlacements.
	decided     []*kratix.Work
	assignments []kratix.Key
	rejected    []kratix.Key
	unusable    []kratix.Key
	findings    []finding.Finding
}

func (d decisions) areCurrent(seen source.Snapshot) bool {
	return slices.Equal(d.placements, seen.WorkPlacements) && slices.Equal(d.works, seen.Works)
}

func (s *Source) decide(seen source.Snapshot) decisions {
	made := decisions{placements: seen.WorkPlacements, works: seen.Works}
	before := s.works
	s.works, s.targets = make(map[kratix.Key]decision, len(seen.WorkPlacements)), make(map[*kratix.Work]string, len(seen.WorkPlacements))
	for _, p := range seen.WorkPlacements {
		if !p.DeletionTimestamp.IsZero() {
			continue
		}
		if why := unusable(p); why != "" {
			made.findings = append(made.findings, finding.Finding{Rule: finding.UnusablePlacement(), Place: finding.Place{Object: kratix.Describe(p)}, Message: why})
			made.unusable = append(made.unusable, kratix.KeyOf(p))
			if p.Labels[kratix.WorkLabel] != "" {
				made.rejected = append(made.rejected, p.Work())
			}
			continue
		}
		is := decision{placement: p, original: originalOf(seen, p)}
		if was, known := before[kratix.KeyOf(p)]; known && was.placement == p && was.original == is.original {
			is = was
		} else if is.work = workOf(p, is.original); known && was.sameWork(is) {
			is.work = was.work
		}
		s.works[kratix.KeyOf(p)], s.targets[is.work] = is, p.Spec.TargetDestinationName
		made.decided, made.assignments = append(made.decided, is.work), append(made.assignments, kratix.KeyOf(p))
	}
	slices.SortFunc(made.assignments, kratix.Key.Compare)
	slices.SortFunc(made.decided, func(a, b *kratix.Work) int {
		return cmp.Or(kratix.KeyOf(a).Compare(kratix.KeyOf(b)),
			cmp.Compare(a.Spec.WorkloadGroups[0].ID, b.Spec.WorkloadGroups[0].ID), cmp.Compare(s.targets[a], s.targets[b]))
	})
	return made
}

// unusable returns the reason why a WorkPlacement cannot be promoted, or "" if it can.
func unusable(p *kratix.WorkPlacement) string {
	switch work := p.Labels[kratix.WorkLabel]; {
	case work == "":
		return "it has no label " + kratix.WorkLabel + ", which names its Work"
	case p.Spec.TargetDestinationName == "", p.Spec.ID == "", p.Spec.PromiseName == "":
		return "its spec must have targetDestinationName, id and promiseName"
	default:
		if want := kratix.PlacementName(work, p.Spec.TargetDestinationName, p.Spec.ID); p.Name != want {
			return fmt.Sprintf("a WorkPlacement with its label %s and its spec is named %s", kratix.WorkLabel, want)
		}
	}
	return ""
}

// originalOf returns the Work of a WorkPlacement in the snapshot, or nil if it is missing.
func originalOf(seen source.Snapshot, p *kratix.WorkPlacement) *kratix.Work {
	at, found := slices.BinarySearchFunc(seen.Works, p.Work(), func(w *kratix.Work, key kratix.Key) int { return kratix.KeyOf(w).Compare(key) })
	if !found {
		return nil
	}
	return seen.Works[at]
}

// workOf returns a Work with the contents of one WorkPlacement. in is its Work in the cluster, or
// nil.
func workOf(p *kratix.WorkPlacement, in *kratix.Work) *kratix.Work {
	work := kratix.NewWork()
	work.Namespace, work.Name, work.Generation = p.Namespace, p.Labels[kratix.WorkLabel], p.Spec.Generation
	work.CreationTimestamp = p.CreationTimestamp
	if in != nil {
		work.Labels, work.Annotations = withoutEffect(in.Labels), withoutEffect(in.Annotations)
	}
	if pipeline := p.Pipeline(); pipeline != work.Pipeline() {
		labels := maps.Clone(work.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		labels[kratix.PipelineNameLabel] = pipeline
		work.Labels = labels
	}
	group := kratix.WorkloadGroup{ID: p.Spec.ID, Workloads: p.Spec.Workloads}
	if group.ID == kratix.GroupID(kratix.DefaultDirectory) {
		group.Directory = kratix.DefaultDirectory
	} else {
		group.Directory = kratix.ShortID(group.ID)
	}
	if in != nil {
		work.CreationTimestamp = in.CreationTimestamp
		for _, named := range in.Spec.WorkloadGroups {
			if named.ID == group.ID {
				group.Directory = cmp.Or(named.Directory, kratix.DefaultDirectory)
			}
		}
	}
	work.Spec = kratix.WorkSpec{PromiseName: p.Spec.PromiseName, ResourceName: p.Spec.ResourceName, WorkloadGroups: []kratix.WorkloadGroup{group}}
	return work
}

// withoutEffect returns the labels or annotations of a Work without those that would change a plan.
func withoutEffect(all map[string]string) map[string]string {
	hasEffect := func(key, _ string) bool {
		return key == kratix.DryRunLabel || strings.HasPrefix(key, "kratix-schedule.io/")
	}
	for key := range all {
		if hasEffect(key, "") {
			all = maps.Clone(all)
			maps.DeleteFunc(all, hasEffect)
			break
		}
	}
	return all
}

// sameWork reports whether a later decision about the same WorkPlacement has a Work with the same
// files.
func (d decision) sameWork(later decision) bool {
	was, is := d.work, later.work
	a, b := &was.Spec.WorkloadGroups[0], &is.Spec.WorkloadGroups[0]
	return d.placement.Spec.TargetDestinationName == later.placement.Spec.TargetDestinationName && was.Pipeline() == is.Pipeline() &&
		was.CreationTimestamp.Equal(&is.CreationTimestamp) && was.Spec.PromiseName == is.Spec.PromiseName && was.Spec.ResourceName == is.Spec.ResourceName &&
		a.ID == b.ID && a.Directory == b.Directory && slices.Equal(a.Workloads, b.Workloads)
}
