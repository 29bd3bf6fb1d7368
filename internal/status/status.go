// Package status plans the changes of the objects in a cluster after a round: WorkPlacements,
// conditions, finalizers and Events. It does no I/O and reads no clock.
package status

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Objects are the current objects in the cluster. The contents of WorkPlacements are needed in the
// modes Schedule and Promote.
type Objects struct {
	Works          []*kratix.Work
	WorkPlacements []*kratix.WorkPlacement
	Destinations   []*kratix.Destination
	Rollouts       []*kratix.Rollout
	kratix.StateStores
	// Unreadable has the objects that cannot be decoded, by the result of kratix.Describe. Only
	// their metadata is known.
	Unreadable map[string]bool
	// Live has the live state stores by the name of the Destination. A Destination without a live
	// state store has no entry.
	Live map[string]kratix.StateStoreReference
}

// Mode is the division of scheduling and writing between this program and Kratix.
type Mode int

// The values of Mode.
const (
	// Manage means that this program schedules and writes.
	Manage Mode = iota
	// Observe means that Kratix schedules and writes.
	Observe
	// Schedule means that this program schedules, and that Kratix writes every WorkPlacement.
	Schedule
	// Promote means that Kratix schedules and writes, and that this program writes the checked
	// placements to the live state stores.
	Promote
)

// String returns the name of the mode as in the documentation.
func (m Mode) String() string {
	switch m {
	case Observe:
		return "observe"
	case Schedule:
		return "schedule"
	case Promote:
		return "promote"
	}
	return "manage"
}

// Change is a list of writes to an object, with the Events to send after them.
type Change struct {
	// Object is the current object, or the object to create.
	Object kratix.Object
	Steps  []Step
	Events []Event
}

// Step is a single write.
type Step struct {
	Verb Verb
	// Patch is a JSON merge patch.
	Patch map[string]any
}

// Verb is the kind of a write.
type Verb string

// The values of Verb.
const (
	Create      Verb = "create"
	Patch       Verb = "patch"
	PatchStatus Verb = "patch status"
	Delete      Verb = "delete"
)

// Event is an Event to send after the steps of a Change.
type Event struct {
	// About is the object that the Event is about, or nil for the changed object.
	About kratix.Object
	// Type is Normal or Warning.
	Type    string
	Reason  string
	Message string
}

const (
	normal  = "Normal"
	warning = "Warning"
)

// Plan returns lists of changes that bring the selected objects to the state in the report. The
// lists must be applied in order; the changes of a list may be applied concurrently. at is the time
// of conditions that change.
func Plan(said report.Report, now Objects, mode Mode, selects Selects, at metav1.Time) [][]Change {
	p := newPlanner(said, now, mode, selects, at)
	if mode == Manage && p.other != nil {
		return [][]Change{p.warnings()} // all other conditions are left to the other scheduler
	}
	return [][]Change{p.workPlacements(), p.works(), slices.Concat(p.destinations(), p.stores(), p.rollouts())}
}

type planner struct {
	now     Objects
	mode    Mode
	selects Selects
	at      metav1.Time
	// placements, byWork and byDestination are the placements of the report by WorkPlacement, by
	// Work and by Destination.
	placements            map[kratix.Key]report.Placement
	byWork, byDestination map[string][]report.Placement
	// workByKey has the Works that are not being deleted.
	workByKey          map[kratix.Key]*kratix.Work
	workPlacementByKey map[kratix.Key]*kratix.WorkPlacement
	// leaving has the WorkPlacements of each Work that is being deleted.
	leaving           map[kratix.Key][]*kratix.WorkPlacement
	destinationByName map[string]*kratix.Destination
	// covered has the Destinations whose state the report contains. written has the stores that
	// this shard writes.
	covered, written map[string]bool
	// emptied has the Destinations that are being deleted and have no files left.
	emptied map[string]bool
	// revision is the revision of the store of each covered Destination, and writtenTo is the
	// location of its files.
	revision, writtenTo map[string]string
	agents              report.Agents
	rolledOut           []report.Rollout
	selected            map[string]bool
	// conflicts are the findings that quarantine placements, by object. others are all other
	// findings.
	conflicts, others map[string][]finding.Finding
	// doubts are the conditions ConflictFree of WorkPlacements that were not checked, by Work.
	doubts map[kratix.Key]metav1.Condition
	// other is the finding that another controller may schedule Works, or nil.
	other *finding.Finding
	// unsure means that it is unknown whether another controller may schedule Works.
	unsure     bool
	storeFails bool
}

func newPlanner(said report.Report, now Objects, mode Mode, selects Selects, at metav1.Time) *planner {
	p := &planner{
		now: now, mode: mode, selects: selects, at: at,
		placements: map[kratix.Key]report.Placement{}, byWork: map[string][]report.Placement{}, byDestination: map[string][]report.Placement{},
		workByKey: map[kratix.Key]*kratix.Work{}, workPlacementByKey: map[kratix.Key]*kratix.WorkPlacement{},
		leaving: map[kratix.Key][]*kratix.WorkPlacement{}, destinationByName: map[string]*kratix.Destination{},
		agents: said.Agents(), rolledOut: said.Rollouts, covered: map[string]bool{}, emptied: map[string]bool{}, written: map[string]bool{}, revision: map[string]string{}, writtenTo: map[string]string{}, selected: map[string]bool{},
		doubts: map[kratix.Key]metav1.Condition{}, conflicts: map[string][]finding.Finding{}, others: map[string][]finding.Finding{}, other: otherScheduler(said), unsure: isUnsure(said), storeFails: said.Has(finding.StoreFailed()),
	}
	for _, placement := range said.Placements {
		p.byWork[placement.Work] = append(p.byWork[placement.Work], placement)
		if placement.Object != nil {
			p.placements[kratix.KeyOf(placement.Object)] = placement
			p.byDestination[placement.Destination] = append(p.byDestination[placement.Destination], placement)
		}
	}
	for _, work := range now.Works {
		if work.DeletionTimestamp.IsZero() {
			p.workByKey[kratix.KeyOf(work)] = work
		} else {
			p.leaving[kratix.KeyOf(work)] = nil
		}
	}
	for _, placement := range now.WorkPlacements {
		p.workPlacementByKey[kratix.KeyOf(placement)] = placement
		if of, leaves := p.leaving[placement.Work()]; leaves {
			p.leaving[placement.Work()] = append(of, placement)
		}
	}
	if mode == Schedule || mode == Observe {
		p.takeOddNames()
	}
	for _, destination := range now.Destinations {
		p.destinationByName[destination.Name] = destination
	}
	for _, name := range said.Emptied {
		p.emptied[name] = true
	}
	for _, store := range said.Stores {
		p.written[store.Name] = !store.Unselected
		for _, name := range store.Covered {
			p.covered[name], p.revision[name], p.writtenTo[name] = true, store.Revision, storeAndLocation(store.Name, store.Locations[name])
		}
	}
	p.index(said)
	return p
}

func (p *planner) index(said report.Report) {
	for _, f := range said.Findings {
		if holdsBack(f) {
			p.conflicts[f.Place.Object] = append(p.conflicts[f.Place.Object], f)
		} else {
			p.others[f.Place.Object] = append(p.others[f.Place.Object], f)
		}
	}
}

func holdsBack(f finding.Finding) bool { return slices.Contains(holdingRules(), f.Rule) }

// holdingRules returns the rules whose findings quarantine placements. A rule with another severity
// is another rule.
func holdingRules() []finding.Rule {
	return []finding.Rule{
		finding.DuplicateObject(), finding.PathTaken(), finding.UnbuildableFile(),
		finding.UnbuildableKustomization(), finding.UncheckedKustomization(), finding.HidingKustomization(),
		finding.ReservedName(), finding.UnstorablePath(),
		finding.KindNotServed(), finding.RemovedAPI(), finding.NamespaceMissing(), finding.InvalidField(),
		finding.InvalidMetadata(), finding.ImmutableField(), finding.DefinitionRemoved(), finding.ApplyOrder(), finding.RolledBack(),
	}
}

func (p *planner) about(object string, rule finding.Rule) (finding.Finding, bool) {
	i := slices.IndexFunc(p.others[object], func(f finding.Finding) bool { return f.Rule == rule })
	if i < 0 {
		return finding.Finding{}, false
	}
	return p.others[object][i], true
}

func (c Change) isEmpty() bool { return len(c.Steps) == 0 && len(c.Events) == 0 }

func (c *Change) step(verb Verb, patch map[string]any) {
	c.Steps = append(c.Steps, Step{Verb: verb, Patch: patch})
}

func (c *Change) event(kind, reason, message string) {
	c.Events = append(c.Events, Event{Type: kind, Reason: reason, Message: Shorten(printable.Line(message), longestEvent)})
}

// eventAbout adds an Event about another object than the changed object.
func (c *Change) eventAbout(object kratix.Object, kind, reason, message string) {
	c.event(kind, reason, message)
	c.Events[len(c.Events)-1].About = object
}

const (
	longestEvent   = 1024
	longestMessage = 32768
)

// Shorten returns a text of at most longest bytes: the text itself, or its beginning with dots at
// the end.
func Shorten(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest-len("...")], "") + "..."
}
