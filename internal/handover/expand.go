// Package handover computes which placements Kratix could write if it took over a cluster, and
// which of them would break a Destination. Kratix chooses Destinations at random, so an unplaced
// group of a request could be on any Destination that fits.
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

// targetLabel is the label with which a stand-in selects its Destination.
const targetLabel = scheduler.OwnPrefix + "handover"

// Takeover is a snapshot with the placements that Kratix could create if it took over.
type Takeover struct {
	// Input is a copy of the snapshot with stand-ins. A stand-in is a copy of a Work with the groups
	// that Kratix could write to one Destination, and fits only there.
	Input source.Snapshot
	// standIns maps the key of each stand-in to its original Work and its Destination.
	standIns map[string]standIn
	// Implied are the WorkPlacements of stand-ins and of dependencies.
	Implied []ImpliedPlacement
	fitting map[groupOf]int
	placed  map[kratix.Key]bool
}

// ImpliedPlacement contains the WorkPlacement that Kratix would create (Of), and the WorkPlacement
// in Takeover.Input for it (Stands).
type ImpliedPlacement struct{ Stands, Of *kratix.WorkPlacement }

type standIn struct {
	work        kratix.Key
	destination string
}

// isUnwritten reports whether a WorkPlacement is not being deleted and was certainly never written.
func isUnwritten(p *kratix.WorkPlacement) bool {
	return p.DeletionTimestamp.IsZero() && p.Status.VersionID == "" && meta.FindStatusCondition(p.Status.Conditions, kratix.WriteSucceededCondition) == nil
}

// Expand returns the Takeover of a snapshot, which must have all WorkPlacements.
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
		case !p.DeletionTimestamp.IsZero() || emptied[name]: // Kratix chooses a Destination again when the WorkPlacement is gone
		case isUnwritten(p):
			on.isPlaced, on.unwritten = true, append(on.unwritten, name)
		default:
			on.isPlaced, on.isWritten = true, true
		}
		e.on[group] = on
	}
}

// addPlacements replaces the WorkPlacements in the Input by copies without the labels of this
// program.
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

type expansion struct {
	*Takeover
	destinations []*kratix.Destination
	on           map[groupOf]placedOn
	// implied contains the WorkPlacements of the stand-ins, by original group and Destination.
	implied map[groupOn]*kratix.WorkPlacement
}

type groupOf struct {
	work kratix.Key
	id   string
}

type groupOn struct {
	groupOf
	destination string
}

// placedOn describes the WorkPlacements of a group.
type placedOn struct {
	isPlaced, isWritten bool
	unwritten           []string
}

func (e *expansion) add(work *kratix.Work) {
	var staying []kratix.WorkloadGroup
	going := map[string][]kratix.WorkloadGroup{}
	for _, group := range work.Spec.WorkloadGroups {
		on := e.on[groupOf{kratix.KeyOf(work), group.ID}]
		names := on.unwritten
		switch fitting := scheduler.Fitting(work, &group, e.destinations); {
		case work.IsDependency(): // Kratix places a dependency on all Destinations that fit
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
		// Names in a cluster do not contain "@".
		other.Name += fmt.Sprintf("@%x@", i)
		other.Labels = maps.Clone(work.Labels)
		delete(other.Labels, kratix.DryRunLabel) // the label would override the selectors
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

// plain returns a copy of a Work with only the fields that Kratix supports.
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

// asKratixReads returns a copy of a Destination without the annotations of this program, and with
// the label that stand-ins select.
func asKratixReads(d *kratix.Destination) *kratix.Destination {
	other := *d
	other.Annotations = withoutOwn(d.Annotations)
	other.Labels = map[string]string{targetLabel: d.Name}
	maps.Copy(other.Labels, d.Labels)
	if len(d.Labels) == 0 {
		other.Spec.StrictMatchLabels = false // targetLabel must not make the Destination strict
	}
	return &other
}

func withoutOwn(all map[string]string) map[string]string {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(name, _ string) bool { return strings.HasPrefix(name, scheduler.OwnPrefix) })
	return kept
}
