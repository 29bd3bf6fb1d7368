// Package status turns a round's report into what the objects of a cluster
// should say of it: WorkPlacements, conditions, finalizers and events, as the
// fewest writes that lead there. It is a pure function: no clock, no I/O.
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

// Objects are the objects in the cluster as they are now. WorkPlacements need their
// contents only in the modes Schedule and Promote.
type Objects struct {
	Works             []*kratix.Work
	WorkPlacements    []*kratix.WorkPlacement
	Destinations      []*kratix.Destination
	GitStateStores    []*kratix.GitStateStore
	BucketStateStores []*kratix.BucketStateStore
	// Unreadable are those, as kratix.Describe names them, of which only the
	// metadata is known.
	Unreadable map[string]bool
	// Live are the state stores that clusters read, by the names of the Destinations
	// that have one beside the one that Kratix writes.
	Live map[string]kratix.StateStoreReference
}

// Mode says who schedules and writes.
type Mode int

// The modes.
const (
	// Manage: this program does. Everything that Kratix says is said, and the
	// condition ConflictFree.
	Manage Mode = iota
	// Observe: Kratix does. Only ConflictFree and its events are said.
	Observe
	// Schedule: this program schedules, and Kratix writes whatever has a
	// WorkPlacement. WorkPlacements are created and their specs changed for what may
	// be written, and Scheduled and ConflictFree are said. Finalizers, and all that
	// Kratix says, are Kratix's.
	Schedule
	// Promote: Kratix schedules, and writes where no cluster reads; this program writes
	// what may be written to the live state stores. Promoted and ConflictFree are said,
	// and a Destination whose files go with it has a finalizer for those in its live
	// store. Everything else is Kratix's.
	Promote
)

// String returns what the documentation calls the mode.
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

// Change is what is written to one object, step by step.
type Change struct {
	// Object is the object as it is now, or as it is to be created.
	Object kratix.Object
	Steps  []Step
	Events []Event
}

// Step is one write.
type Step struct {
	Verb Verb
	// Patch is a JSON merge patch.
	Patch map[string]any
}

// Verb says how a Step is written.
type Verb string

// The verbs.
const (
	Create      Verb = "create"
	Patch       Verb = "patch"
	PatchStatus Verb = "patch status"
	Delete      Verb = "delete"
)

// Event is an Event about the changed object.
type Event struct {
	// About is another object that the Event is about; nil is the changed one.
	About kratix.Object
	// Type is Normal or Warning.
	Type    string
	Reason  string
	Message string
}

// The types of Events.
const (
	normal  = "Normal"
	warning = "Warning"
)

// Plan returns the changes that make the objects say what the report says, at a
// time, as far as they are selected. The changes of one list may be made at once, those of the next after
// them: a Work is ready when its WorkPlacements are, and a Destination goes when
// they have gone. What the report is silent about stays as it is.
func Plan(said report.Report, now Objects, mode Mode, selects Selects, at metav1.Time) [][]Change {
	p := newPlanner(said, now, mode, selects, at)
	if mode == Manage && p.other != nil {
		return [][]Change{p.warnings()} // what another scheduler has said of the rest stays
	}
	return [][]Change{p.workPlacements(), p.works(), append(p.destinations(), p.stores()...)}
}

// planner has the report, made ready to be asked.
type planner struct {
	now     Objects
	mode    Mode
	selects Selects
	at      metav1.Time
	// placements are the report's by their WorkPlacements' keys, byWork by their
	// Works', and byDestination by the names of their Destinations.
	placements            map[kratix.Key]report.Placement
	byWork, byDestination map[string][]report.Placement
	// workByKey has the Works that are not being deleted.
	workByKey          map[kratix.Key]*kratix.Work
	workPlacementByKey map[kratix.Key]*kratix.WorkPlacement
	// leaving has the WorkPlacements of each Work that is being deleted.
	leaving           map[kratix.Key][]*kratix.WorkPlacement
	destinationByName map[string]*kratix.Destination
	// covered are the Destinations that are as the report says, and the stores
	// that were written.
	covered, written map[string]bool
	// emptied are the Destinations that are being deleted and have nothing more.
	emptied map[string]bool
	// revision is that of the store of each covered Destination, and writtenTo says where
	// that has its files.
	revision, writtenTo map[string]string
	// selected remembers whether this process writes to a Destination, by its name.
	selected map[string]bool
	// clashes are the findings about what Flux could not build, by object; others
	// are all others.
	clashes, others map[string][]finding.Finding
	// doubts are the conditions ConflictFree of WorkPlacements that are not looked at, by
	// their Works.
	doubts map[kratix.Key]metav1.Condition
	// other says that somebody else places Works; nil if nobody is known to.
	other *finding.Finding
	// unsure means that it is not known whether somebody may.
	unsure bool
	// storeFails means that a state store cannot be read or written.
	storeFails bool
}

func newPlanner(said report.Report, now Objects, mode Mode, selects Selects, at metav1.Time) *planner {
	p := &planner{
		now: now, mode: mode, selects: selects, at: at,
		placements: map[kratix.Key]report.Placement{}, byWork: map[string][]report.Placement{}, byDestination: map[string][]report.Placement{},
		workByKey: map[kratix.Key]*kratix.Work{}, workPlacementByKey: map[kratix.Key]*kratix.WorkPlacement{},
		leaving: map[kratix.Key][]*kratix.WorkPlacement{}, destinationByName: map[string]*kratix.Destination{},
		covered: map[string]bool{}, emptied: map[string]bool{}, written: map[string]bool{}, revision: map[string]string{}, writtenTo: map[string]string{}, selected: map[string]bool{},
		doubts: map[kratix.Key]metav1.Condition{}, clashes: map[string][]finding.Finding{}, others: map[string][]finding.Finding{}, other: otherScheduler(said), unsure: isUnsure(said), storeFails: said.Has(finding.StoreFailed()),
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
			p.covered[name], p.revision[name], p.writtenTo[name] = true, store.Revision, siteIn(store.Name, store.Sites[name])
		}
	}
	for _, f := range said.Findings {
		if isClash(f) {
			p.clashes[f.Place.Object] = append(p.clashes[f.Place.Object], f)
		} else {
			p.others[f.Place.Object] = append(p.others[f.Place.Object], f)
		}
	}
	return p
}

// isClash reports whether a placement is held back for a finding.
func isClash(f finding.Finding) bool { return slices.Contains(clashRules(), f.Rule) }

// clashRules are the rules of findings for which placements are held back.
func clashRules() []finding.Rule {
	return []finding.Rule{
		finding.DuplicateObject(), finding.PathTaken(), finding.UnbuildableFile(),
		finding.UnbuildableKustomization(), finding.UncheckedKustomization(), finding.HidingKustomization(),
		finding.ReservedName(), finding.UnstorablePath(),
	}
}

// about returns the first finding of a rule about an object.
func (p *planner) about(object string, rule finding.Rule) (finding.Finding, bool) {
	i := slices.IndexFunc(p.others[object], func(f finding.Finding) bool { return f.Rule == rule })
	if i < 0 {
		return finding.Finding{}, false
	}
	return p.others[object][i], true
}

// isEmpty reports whether there is nothing to write.
func (c Change) isEmpty() bool { return len(c.Steps) == 0 && len(c.Events) == 0 }

func (c *Change) step(verb Verb, patch map[string]any) {
	c.Steps = append(c.Steps, Step{Verb: verb, Patch: patch})
}

func (c *Change) tell(kind, reason, message string) {
	c.Events = append(c.Events, Event{Type: kind, Reason: reason, Message: shorten(printable.Line(message), longestEvent)})
}

// tellOf adds an Event about another object than the changed one, which is sent once
// the change is made.
func (c *Change) tellOf(object kratix.Object, kind, reason, message string) {
	c.tell(kind, reason, message)
	c.Events[len(c.Events)-1].About = object
}

// The API takes no more bytes than these.
const (
	longestEvent   = 1024
	longestMessage = 32768
)

func shorten(text string, longest int) string {
	if len(text) <= longest {
		return text
	}
	return strings.ToValidUTF8(text[:longest-len("...")], "") + "..."
}
