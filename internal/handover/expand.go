// Package handover computes what Kratix's own controller would place and write if it
// took a cluster over: every Work that has no WorkPlacement yet on any Destination that
// fits, since Kratix chooses at random, and every WorkPlacement with the contents that
// its Work has now. It does no I/O: an engine that plans from the expanded input says
// what of it would break a Destination.
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

// targetLabel has a stand-in of a Work, and of a Destination, find each other.
const targetLabel = scheduler.OwnPrefix + "handover"

// Takeover is what Kratix may do with the objects of a snapshot.
type Takeover struct {
	// Input is the snapshot in which a request's groups that are placed nowhere are on
	// every Destination that fits. There each stands for itself as a Work of its own.
	Input source.Snapshot
	// standIns has the Work for which one of Input stands, by the key of that.
	standIns map[string]standIn
	// Heirs are the WorkPlacements of stand-ins and of dependencies.
	Heirs []Heir
	// fitting counts the Destinations of which Kratix would choose one for a group.
	fitting map[groupOf]int
	// placed has the names of WorkPlacements that there are.
	placed map[kratix.Key]bool
}

// Heir is the WorkPlacement that a stand-in would have, or a dependency. What the store
// has of Kratix's, if it was there before, is the heir's.
type Heir struct{ Stands, Of *kratix.WorkPlacement }

// standIn is a Work as it may be placed on one Destination.
type standIn struct {
	work        kratix.Key
	destination string
}

// isUnwritten reports whether nothing says that Kratix, or this program, has ever tried
// to write a WorkPlacement. A write that failed may have followed one that did not: a
// bucket leaves versionID empty.
func isUnwritten(p *kratix.WorkPlacement) bool {
	return p.DeletionTimestamp.IsZero() && p.Status.VersionID == "" && meta.FindStatusCondition(p.Status.Conditions, kratix.WriteSucceededCondition) == nil
}

// Expand returns what Kratix may do with a snapshot, which must have all
// WorkPlacements. Those that were never written are not in the Input: what Kratix would
// write for them is new. Those that are about to go place nothing, and have files.
func Expand(snapshot source.Snapshot) Takeover {
	t := Takeover{Input: snapshot, standIns: map[string]standIn{}, fitting: map[groupOf]int{}, placed: map[kratix.Key]bool{}}
	e := expansion{Takeover: &t, destinations: snapshot.Destinations, on: map[groupOf]placedOn{}, heirs: map[groupOn]*kratix.WorkPlacement{}}
	e.note(snapshot.WorkPlacements)
	works := map[kratix.Key]bool{}
	for _, work := range snapshot.Works {
		works[kratix.KeyOf(work)] = true
	}
	isNew := func(p *kratix.WorkPlacement) bool { return isUnwritten(p) && works[p.Work()] }
	t.Input.WorkPlacements = slices.DeleteFunc(slices.Clone(snapshot.WorkPlacements), isNew)
	t.Input.Existing = slices.DeleteFunc(slices.Clone(snapshot.Existing), isNew)
	t.Input.Destinations = nil
	for _, d := range snapshot.Destinations {
		marked := asKratixSees(d)
		t.Input.Destinations = append(t.Input.Destinations, marked)
		t.Input.Origins = t.Input.Origins.With(marked, finding.Place{Object: kratix.Describe(d)})
	}
	t.Input.Works = nil
	for _, work := range snapshot.Works {
		e.add(plain(work))
	}
	slices.SortFunc(t.Input.Works, source.Compare)
	e.passOn()
	return t
}

// note notes what WorkPlacements there are of each group.
func (e *expansion) note(placements []*kratix.WorkPlacement) {
	emptied := map[string]bool{}
	for _, d := range e.destinations {
		emptied[d.Name] = d.IsDeleted() && d.CleansUp()
	}
	for _, p := range placements {
		e.placed[kratix.KeyOf(p)] = true
		group := groupOf{p.Work(), p.Spec.ID}
		on := e.on[group]
		switch name := p.Spec.TargetDestinationName; {
		case !p.DeletionTimestamp.IsZero() || emptied[name]: // Kratix chooses anew once it is gone
		case isUnwritten(p):
			on.isPlaced, on.unwritten = true, append(on.unwritten, name)
		default:
			on.isPlaced, on.isWritten = true, true
		}
		e.on[group] = on
	}
}

// passOn puts copies of WorkPlacements into the Input, as Kratix sees them. What the
// store has of one that is about to go is for the stand-in on the same Destination, if
// there is one: Kratix makes the same one again.
func (e *expansion) passOn() {
	made := map[*kratix.WorkPlacement]*kratix.WorkPlacement{}
	pass := func(p *kratix.WorkPlacement) *kratix.WorkPlacement {
		if made[p] != nil {
			return made[p]
		}
		other := *p
		other.Labels = kratixs(p.Labels)
		if heir := e.heirs[groupOn{groupOf{p.Work(), p.Spec.ID}, p.Spec.TargetDestinationName}]; heir != nil {
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

// expansion is one call of Expand.
type expansion struct {
	*Takeover
	destinations []*kratix.Destination
	on           map[groupOf]placedOn
	// heirs are the WorkPlacements that stand-ins would have.
	heirs map[groupOn]*kratix.WorkPlacement
}

// groupOf names a group of a Work.
type groupOf struct {
	work kratix.Key
	id   string
}

// groupOn names a group on a Destination.
type groupOn struct {
	groupOf
	destination string
}

// placedOn says what WorkPlacements of a group there are that stay, and on which
// Destinations those are that were never written.
type placedOn struct {
	isPlaced, isWritten bool
	unwritten           []string
}

// add adds a Work, and its stand-ins: for what it has on a Destination without being
// written there, or may have.
func (e *expansion) add(work *kratix.Work) {
	var staying []kratix.WorkloadGroup
	going := map[string][]kratix.WorkloadGroup{}
	for _, group := range work.Spec.WorkloadGroups {
		on := e.on[groupOf{kratix.KeyOf(work), group.ID}]
		names := on.unwritten
		switch fitting := scheduler.Fitting(work, &group, e.destinations); {
		case work.IsDependency(): // it goes to all that fit by itself
			names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(fitting, name) })
			for _, name := range fitting {
				itself := kratix.NewWorkPlacement(work, &group, name)
				e.Heirs = append(e.Heirs, Heir{itself, itself})
			}
		case !on.isPlaced:
			names, e.fitting[groupOf{kratix.KeyOf(work), group.ID}] = fitting, len(fitting)
		}
		for _, name := range names {
			going[name] = append(going[name], aimed(group, name, work.Labels[kratix.DryRunLabel]))
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
		// No Work can be called so, and the name is hardly longer: names have limits.
		other.Name += fmt.Sprintf("@%x@", i)
		other.Labels = maps.Clone(work.Labels)
		delete(other.Labels, kratix.DryRunLabel) // it overrides selectors
		other.Spec.WorkloadGroups = going[name]
		e.standIns[kratix.KeyOf(&other).String()] = standIn{kratix.KeyOf(work), name}
		for j := range going[name] {
			group := &going[name][j]
			heir := Heir{Stands: kratix.NewWorkPlacement(&other, group, name), Of: kratix.NewWorkPlacement(work, group, name)}
			e.heirs[groupOn{groupOf{kratix.KeyOf(work), group.ID}, name}], e.Heirs = heir.Stands, append(e.Heirs, heir)
		}
		e.Input.Works = append(e.Input.Works, &other)
	}
}

// aimed returns a group that only one Destination fits.
func aimed(group kratix.WorkloadGroup, destination, dryRun string) kratix.WorkloadGroup {
	labels := map[string]string{targetLabel: destination}
	if dryRun != "" {
		labels[kratix.DryRunLabel] = dryRun
	}
	group.DestinationSelectors = []kratix.Selector{{MatchLabels: labels}}
	return group
}

// plain returns a copy of a Work with what Kratix knows of it: without annotations
// for this program, and without match expressions.
func plain(work *kratix.Work) *kratix.Work {
	other := *work
	other.Annotations = kratixs(work.Annotations)
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

// asKratixSees returns a copy of a Destination without annotations for this program,
// which stand-ins find by its name.
func asKratixSees(d *kratix.Destination) *kratix.Destination {
	other := *d
	other.Annotations = kratixs(d.Annotations)
	other.Labels = map[string]string{targetLabel: d.Name}
	maps.Copy(other.Labels, d.Labels)
	if len(d.Labels) == 0 {
		other.Spec.StrictMatchLabels = false // it is strict about labels of its own
	}
	return &other
}

// kratixs returns the annotations or labels that are not for this program.
func kratixs(all map[string]string) map[string]string {
	kept := maps.Clone(all)
	maps.DeleteFunc(kept, func(name, _ string) bool { return strings.HasPrefix(name, scheduler.OwnPrefix) })
	return kept
}
