// Package handover computes the placements that Kratix's own controller could write if it took over
// a cluster: each Work without a WorkPlacement on every Destination that fits, since Kratix chooses
// at random, and each WorkPlacement with the current contents of its Work. A plan of the expanded
// input reports which of these placements would break a Destination. The package does no I/O.
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

// targetLabel is the label by which a stand-in selects its Destination.
const targetLabel = scheduler.OwnPrefix + "handover"

// Takeover contains the possible actions of Kratix on the objects of a snapshot.
type Takeover struct {
	// Input is the snapshot in which each unplaced group of a request is placed on every
	// Destination that fits. Each of these placements is represented by a Work of its own, a
	// stand-in.
	Input source.Snapshot
	// standIns maps the key of each stand-in to its original Work.
	standIns map[string]standIn
	// Implied are the WorkPlacements of stand-ins and of dependencies.
	Implied []ImpliedPlacement
	// fitting contains the number of Destinations from which Kratix would choose one for each
	// group.
	fitting map[groupOf]int
	// placed contains the keys of existing WorkPlacements.
	placed map[kratix.Key]bool
}

// ImpliedPlacement has Of, a WorkPlacement that Kratix would create, and Stands, the WorkPlacement
// of its stand-in. They are the same for a dependency. Files of Of that are in the store belong to
// Stands.
type ImpliedPlacement struct{ Stands, Of *kratix.WorkPlacement }

// standIn is the original Work of a stand-in, and the Destination on which it could be placed.
type standIn struct {
	work        kratix.Key
	destination string
}

// isUnwritten reports whether a WorkPlacement is not being deleted and its status indicates no
// write. A failed write is an indication, since an earlier one may have succeeded; an empty
// versionID proves nothing, since it is always empty for buckets.
func isUnwritten(p *kratix.WorkPlacement) bool {
	return p.DeletionTimestamp.IsZero() && p.Status.VersionID == "" && meta.FindStatusCondition(p.Status.Conditions, kratix.WriteSucceededCondition) == nil
}

// Expand returns the possible actions of Kratix on a snapshot, which must contain all
// WorkPlacements. The Input omits WorkPlacements that were never written, since stand-ins replace
// them. WorkPlacements that are being deleted still have files, but place nothing.
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
		case !p.DeletionTimestamp.IsZero() || emptied[name]: // Kratix chooses again after the WorkPlacement is gone
		case isUnwritten(p):
			on.isPlaced, on.unwritten = true, append(on.unwritten, name)
		default:
			on.isPlaced, on.isWritten = true, true
		}
		e.on[group] = on
	}
}

// addPlacements replaces the WorkPlacements in the Input by copies, as Kratix reads them. A
// WorkPlacement with a stand-in on the same Destination passes its files to the stand-in, since
// Kratix would create an equal WorkPlacement.
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
	// implied contains the WorkPlacements that stand-ins would have.
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

// placedOn describes the WorkPlacements of a group that stay: whether there are any, whether any
// was written, and the Destinations of the unwritten ones.
type placedOn struct {
	isPlaced, isWritten bool
	unwritten           []string
}

// add adds a Work and its stand-ins to the Input, one for each Destination on which Kratix could
// write the Work for the first time.
func (e *expansion) add(work *kratix.Work) {
	var staying []kratix.WorkloadGroup
	going := map[string][]kratix.WorkloadGroup{}
	for _, group := range work.Spec.WorkloadGroups {
		on := e.on[groupOf{kratix.KeyOf(work), group.ID}]
		names := on.unwritten
		switch fitting := scheduler.Fitting(work, &group, e.destinations); {
		case work.IsDependency(): // Kratix places it on all Destinations that fit
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
		// No real name contains "@". The suffix is short, since names have a maximum length.
		other.Name += fmt.Sprintf("@%x@", i)
		other.Labels = maps.Clone(work.Labels)
		delete(other.Labels, kratix.DryRunLabel) // this label would override the selectors
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

// onlyFor returns a copy of the group that selects only one Destination.
func onlyFor(group kratix.WorkloadGroup, destination, dryRun string) kratix.WorkloadGroup {
	labels := map[string]string{targetLabel: destination}
	if dryRun != "" {
		labels[kratix.DryRunLabel] = dryRun
	}
	group.DestinationSelectors = []kratix.Selector{{MatchLabels: labels}}
	return group
}

// plain returns a copy of a Work with only the fields that Kratix supports: without this program's
// annotations, and without match expressions.
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

// asKratixReads returns a copy of a Destination without this program's annotations, but with the
// label by which stand-ins select it.
func asKratixReads(d *kratix.Destination) *kratix.Destination {
	other := *d
	other.Annotations = withoutOwn(d.Annotations)
	other.Labels = map[string]string{targetLabel: d.Name}
	maps.Copy(other.Labels, d.Labels)
	if len(d.Labels) == 0 {
		other.Spec.StrictMatchLabels = false // the label for stand-ins must not make the Destination strict
	}
	return &other
}

// withoutOwn returns the annotations or labels without those of this program.
func withoutOwn(all map[string]string) map[string]string {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(name, _ string) bool { return strings.HasPrefix(name, scheduler.OwnPrefix) })
	return kept
}
