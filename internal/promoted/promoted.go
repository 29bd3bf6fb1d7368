// Package promoted turns a cluster in which Kratix schedules and writes into the input of
// rounds that write the same placements to the state stores that clusters read: a Work for
// each WorkPlacement, with its contents, and Destinations on their live state stores. It does
// no I/O itself.
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

// Source is the source of a cluster in which Kratix schedules. It is also a reconcile.Planner
// for its last Snapshot. It is not safe for concurrent use. Equal objects in two snapshots
// are the same in memory.
type Source struct {
	cluster source.Source
	live    Stores
	planner scheduler.Assigned

	// last are the decisions of the last snapshot, works its Works by WorkPlacement, and
	// targets the names of their Destinations.
	last    decisions
	works   map[kratix.Key]decision
	targets map[*kratix.Work]string
	// moved are the Destinations of the last snapshot on their live stores, by name.
	moved map[string]moved
}

var _ source.Source = (*Source)(nil)

// New returns the Source of a cluster whose snapshots have all WorkPlacements with their
// contents. live has the live stores of Destinations without an annotation.
func New(cluster source.Source, live Stores) *Source {
	s := &Source{cluster: cluster, live: live}
	s.planner.To = func(work *kratix.Work) string { return s.targets[work] }
	return s
}

// Plan places the Works as their WorkPlacements define.
func (s *Source) Plan(in scheduler.Input) scheduler.Result { return s.planner.Plan(in) }

// Live returns the live state stores of the Destinations of the last Snapshot, by name.
func (s *Source) Live() map[string]kratix.StateStoreReference {
	live := make(map[string]kratix.StateStoreReference, len(s.moved))
	for name, d := range s.moved {
		live[name] = *d.to.Spec.StateStoreRef
	}
	return live
}

// Changes reports each change of the cluster.
func (s *Source) Changes(ctx context.Context) (<-chan struct{}, error) { return s.cluster.Changes(ctx) }

// Snapshot returns the input that results from Kratix's decisions.
func (s *Source) Snapshot(ctx context.Context) (source.Snapshot, error) {
	seen, err := s.cluster.Snapshot(ctx)
	if err != nil {
		return source.Snapshot{}, err
	}
	made, unwritten, findings := s.destinations(seen)
	if !s.last.areCurrent(seen) {
		s.last = s.decide(seen)
	}

	snapshot := source.Gather(made) // the objects were gathered before, so there are no findings
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

// decision is a WorkPlacement with the Work made of it, and its original Work in the cluster,
// which is nil if there is no usable one.
type decision struct {
	placement      *kratix.WorkPlacement
	work, original *kratix.Work
}

// decisions are the WorkPlacements and Works of a snapshot, and the Works made of them.
type decisions struct {
	placements []*kratix.WorkPlacement
	works      []*kratix.Work
	// decided has a Work for each WorkPlacement that is not being deleted, sorted; rejected
	// are the keys of the Works of unusable WorkPlacements. assignments are the keys of the
	// usable WorkPlacements, sorted.
	decided     []*kratix.Work
	assignments []kratix.Key
	rejected    []kratix.Key
	unusable    []kratix.Key
	findings    []finding.Finding
}

// areCurrent reports whether a snapshot has the same objects.
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

// unusable returns the reason why a WorkPlacement cannot be promoted; empty if Kratix created
// it in the usual form, which is required to find the record beside its files.
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

// originalOf returns the Work of a WorkPlacement in the cluster; nil if there is no usable
// one.
func originalOf(seen source.Snapshot, p *kratix.WorkPlacement) *kratix.Work {
	at, found := slices.BinarySearchFunc(seen.Works, p.Work(), func(w *kratix.Work, key kratix.Key) int { return kratix.KeyOf(w).Compare(key) })
	if !found {
		return nil
	}
	return seen.Works[at]
}

// workOf returns a Work that consists of one WorkPlacement. Its age, by which conflicts are
// decided, the name of its group, and what commits may say about it come from the Work in the
// cluster.
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

// withoutEffect returns the labels or annotations of a Work that are only for people. Where its
// files go is decided already.
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

// sameWork reports whether a later decision about a WorkPlacement yields the same Work. Kratix
// increases the generation without any other change. Labels and annotations change no file; they
// are as new as the last other change.
func (d decision) sameWork(later decision) bool {
	was, is := d.work, later.work
	a, b := &was.Spec.WorkloadGroups[0], &is.Spec.WorkloadGroups[0]
	return d.placement.Spec.TargetDestinationName == later.placement.Spec.TargetDestinationName && was.Pipeline() == is.Pipeline() &&
		was.CreationTimestamp.Equal(&is.CreationTimestamp) && was.Spec.PromiseName == is.Spec.PromiseName && was.Spec.ResourceName == is.Spec.ResourceName &&
		a.ID == b.ID && a.Directory == b.Directory && slices.Equal(a.Workloads, b.Workloads)
}
