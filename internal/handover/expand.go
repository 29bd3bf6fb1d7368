// Package handover computes the placements that Kratix's own controller could write if it took
// over a cluster: each Work without a WorkPlacement on every Destination that fits, since Kratix
// chooses at random, and each WorkPlacement with the current contents of its Work. It does no
// I/O: an engine plans from the expanded input, and its report shows which of these placements
// would break a Destination.
package handover

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// targetLabel is the label by which the stand-in of a Work selects its Destination.
const targetLabel = scheduler.OwnPrefix + "handover"

// Takeover has the possible actions of Kratix on the objects of a snapshot.
type Takeover struct {
	// Input is the snapshot in which each group of a request that is not placed yet is on every
	// Destination that fits. Each of these placements is represented by a stand-in, a Work of
	// its own.
	Input source.Snapshot
	// standIns has the original Work of each stand-in, by the key of the stand-in.
	standIns map[string]standIn
	// Implied are the WorkPlacements of stand-ins and of dependencies.
	Implied []ImpliedPlacement
	// fitting counts the Destinations from which Kratix would choose one for a group.
	fitting map[groupOf]int
	// placed has the keys of existing WorkPlacements.
	placed map[kratix.Key]bool
}

// ImpliedPlacement is the WorkPlacement that a stand-in or a dependency would have. Files of Kratix that
// are already in the store belong to it.
type ImpliedPlacement struct{ Stands, Of *kratix.WorkPlacement }

// standIn is a Work that may be placed on one Destination.
type standIn struct {
	work        kratix.Key
	destination string
}

// isUnwritten reports whether there is no sign that a WorkPlacement was ever written. If the
// last write failed, an earlier one may have succeeded; for buckets, versionID is always empty.
func isUnwritten(p *kratix.WorkPlacement) bool {
	return p.DeletionTimestamp.IsZero() && p.Status.VersionID == "" && meta.FindStatusCondition(p.Status.Conditions, kratix.WriteSucceededCondition) == nil
}

// Expand returns the possible actions of Kratix on a snapshot, which must have all
// WorkPlacements. The Input omits those that were never written, since Kratix would write them
// again. WorkPlacements that are being deleted still have files, but place nothing.
func Expand(snapshot source.Snapshot) Takeover {
	t := Takeover{Input: snapshot, standIns: map[string]standIn{}, fitting: map[groupOf]int{}, placed: map[kratix.Key]bool{}}
	e := expansion{Takeover: &t, destinations: snapshot.Destinations, on: map[groupOf]placedOn{}, implied: map[groupOn]*kratix.WorkPlacement{}}
	e.index(snapshot.WorkPlacements)
	works := map[kratix.Key]bool{}
	for _, work := range snapshot.Works {
		works[kratix.KeyOf(work)] = true
	}
	isNew := func(p *kratix.WorkPlacement) bool { return isUnwritten(p) && works[p.Work()] }
	t.Input.WorkPlacements = slices.DeleteFunc(slices.Clone(snapshot.WorkPlacements), isNew)
	t.Input.Existing = slices.DeleteFunc(slices.Clone(snapshot.Existing), isNew)
	t.Input.Destinations = nil
	for _, d := range snapshot.Destinations {
		marked := asKratixReads(d)
		t.Input.Destinations = append(t.Input.Destinations, marked)
		t.Input.Origins = t.Input.Origins.With(marked, finding.Place{Object: kratix.Describe(d)})
	}
	t.Input.Works = nil
	for _, work := range snapshot.Works {
		e.add(plain(work))
	}
	slices.SortFunc(t.Input.Works, source.Compare)
	e.addPlacements()
	return t
}

// index records the WorkPlacements of each group.
func (e *expansion) index(placements []*kratix.WorkPlacement) {
	emptied := map[string]bool{}
	for _, d := range e.destinations {
		emptied[d.Name] = d.IsDeleted() && d.CleansUp()
	}
	for _, p := range placements {
		e.placed[kratix.KeyOf(p)] = true
		group := groupOf{p.Work(), p.Spec.ID}
		on := e.on[group]
		switch name := p.Spec.TargetDestinationName; {
		case !p.DeletionTimestamp.IsZero() || emptied[name]: // Kratix chooses again once it is gone
		case isUnwritten(p):
			on.isPlaced, on.unwritten = true, append(on.unwritten, name)
		default:
			on.isPlaced, on.isWritten = true, true
		}
		e.on[group] = on
	}
}

// addPlacements adds copies of the WorkPlacements to the Input, as Kratix reads them. Files of a
// WorkPlacement that is being deleted are passed to the stand-in on the same Destination, if
// there is one, since Kratix would create an equal WorkPlacement.
func (e *expansion) addPlacements() {
	made := map[*kratix.WorkPlacement]*kratix.WorkPlacement{}
	pass := func(p *kratix.WorkPlacement) *kratix.WorkPlacement {
		if made[p] != nil {
			return made[p]
		}
		other := *p
		other.Labels = withoutOwn(p.Labels)
		if heir := e.implied[groupOn{groupOf{p.Work(), p.Spec.ID}, p.Spec.TargetDestinationName}]; heir != nil {
			other.Name, other.Labels[kratix.WorkLabel] = heir.Name, heir.Labels[kratix.WorkLabel]
		}
		made[p] = &other
		return &other
	}
	for _, list := range [][]*kratix.WorkPlacement{e.Input.WorkPlacements, e.Input.Existing} {
		for i, p := range list {
			list[i] = pass(p)
		}
		slices.SortFunc(list, source.Compare)
	}
}

// expansion is the state of one call of Expand.
type expansion struct {
	*Takeover
	destinations []*kratix.Destination
	on           map[groupOf]placedOn
	// implied are the WorkPlacements that stand-ins would have.
	implied map[groupOn]*kratix.WorkPlacement
}

// groupOf identifies a group of a Work.
type groupOf struct {
	work kratix.Key
	id   string
}

// groupOn identifies a group on a Destination.
type groupOn struct {
	groupOf
	destination string
}

// placedOn records whether a group has WorkPlacements that stay, and the Destinations of those
// that were never written.
type placedOn struct {
	isPlaced, isWritten bool
	unwritten           []string
}

// add adds a Work and its stand-ins, one for each Destination on which the Work may be written
// but is not yet.
func (e *expansion) add(work *kratix.Work) {
	var staying []kratix.WorkloadGroup
	going := map[string][]kratix.WorkloadGroup{}
	for _, group := range work.Spec.WorkloadGroups {
		on := e.on[groupOf{kratix.KeyOf(work), group.ID}]
		names := on.unwritten
		switch fitting := scheduler.Fitting(work, &group, e.destinations); {
		case work.IsDependency(): // placed on all that fit anyway
			names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(fitting, name) })
			for _, name := range fitting {
				itself := kratix.NewWorkPlacement(work, &group, name)
				e.Implied = append(e.Implied, ImpliedPlacement{itself, itself})
			}
		case !on.isPlaced:
			names, e.fitting[groupOf{kratix.KeyOf(work), group.ID}] = fitting, len(fitting)
		}
		for _, name := range names {
			going[name] = append(going[name], onlyFor(group, name, work.Labels[kratix.DryRunLabel]))
		}
		if on.isWritten || work.IsDependency() {
			staying = append(staying, group)
		}
	}
	if len(staying) > 0 {
		work.Spec.WorkloadGroups = staying
		e.Input.Works = append(e.Input.Works, work)
	}
	for i, name := range slices.Sorted(maps.Keys(going)) {
		other := *work
		// The "@" makes the name different from that of any real Work; the suffix is
		// short, since names have a maximum length.
		other.Name += fmt.Sprintf("@%x@", i)
		other.Labels = maps.Clone(work.Labels)
		delete(other.Labels, kratix.DryRunLabel) // it would override the selectors
		other.Spec.WorkloadGroups = going[name]
		e.standIns[kratix.KeyOf(&other).String()] = standIn{kratix.KeyOf(work), name}
		for j := range going[name] {
			group := &going[name][j]
			heir := ImpliedPlacement{Stands: kratix.NewWorkPlacement(&other, group, name), Of: kratix.NewWorkPlacement(work, group, name)}
			e.implied[groupOn{groupOf{kratix.KeyOf(work), group.ID}, name}], e.Implied = heir.Stands, append(e.Implied, heir)
		}
		e.Input.Works = append(e.Input.Works, &other)
	}
}

// onlyFor returns a copy of the group that fits only one Destination.
func onlyFor(group kratix.WorkloadGroup, destination, dryRun string) kratix.WorkloadGroup {
	labels := map[string]string{targetLabel: destination}
	if dryRun != "" {
		labels[kratix.DryRunLabel] = dryRun
	}
	group.DestinationSelectors = []kratix.Selector{{MatchLabels: labels}}
	return group
}

// plain returns a copy of a Work with only the fields that Kratix supports: without annotations
// for this program, and without match expressions.
func plain(work *kratix.Work) *kratix.Work {
	other := *work
	other.Annotations = withoutOwn(work.Annotations)
	other.Spec.WorkloadGroups = slices.Clone(work.Spec.WorkloadGroups)
	for i := range other.Spec.WorkloadGroups {
		group := &other.Spec.WorkloadGroups[i]
		group.DestinationSelectors = slices.Clone(group.DestinationSelectors)
		for j := range group.DestinationSelectors {
			group.DestinationSelectors[j].MatchExpressions = nil
		}
	}
	return &other
}

// asKratixReads returns a copy of a Destination without annotations for this program, labelled
// so that stand-ins can select it.
func asKratixReads(d *kratix.Destination) *kratix.Destination {
	other := *d
	other.Annotations = withoutOwn(d.Annotations)
	other.Labels = map[string]string{targetLabel: d.Name}
	maps.Copy(other.Labels, d.Labels)
	if len(d.Labels) == 0 {
		other.Spec.StrictMatchLabels = false // the label of stand-ins must not count
	}
	return &other
}

// withoutOwn returns the annotations or labels that are not for this program.
func withoutOwn(all map[string]string) map[string]string {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(name, _ string) bool { return strings.HasPrefix(name, scheduler.OwnPrefix) })
	return kept
}
