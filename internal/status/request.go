package status

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
)

// Request is a resource request of a Promise, with the content of its status.
type Request struct {
	Promise string
	Key     kratix.Key
	// Works are the Works of the request, sorted by name.
	Works  []RequestWork
	Status RequestStatus
}

// RequestWork is a Work of a request.
type RequestWork struct {
	Name string
	UID  types.UID
}

// RequestStatus is the field status.kratixSchedule of a resource request.
type RequestStatus struct {
	// Destinations are the placements that have files in a state store. There are at most 32.
	Destinations []RequestDestination `json:"destinations,omitempty"`
	// HeldBack is the reason why a placement is quarantined, or nil.
	HeldBack *RequestHeldBack `json:"heldBack,omitempty"`
}

// RequestDestination is a placement of a request.
type RequestDestination struct {
	Name string `json:"name"`
	// Directory is the directory of the workload group. It is empty for the default group.
	Directory string `json:"directory,omitempty"`
	// Path is the path of the placement's files, relative to the repository or bucket.
	Path string `json:"path,omitempty"`
	// Revision is the revision of the state store in which the placement's files were written.
	Revision string `json:"revision,omitempty"`
	// Applied and Healthy are the statuses of the conditions of the WorkPlacement. They may be
	// empty.
	Applied string `json:"applied,omitempty"`
	Healthy string `json:"healthy,omitempty"`
	// Message is the message of a condition that is not True because of a failure.
	Message string `json:"message,omitempty"`
}

// RequestHeldBack is the reason why a placement of a request is quarantined.
type RequestHeldBack struct {
	// Reason is the reason of the condition ConflictFree, or HeldBack if there is no conflict.
	Reason string `json:"reason"`
	// Message is the message of the conflict, or the reason why the placement is quarantined.
	Message string `json:"message"`
	// Object is the name of the Work, with the file of the conflict if there is one.
	Object string `json:"object"`
	// Owner is the Work that owns the object or path, with its request or Promise.
	Owner string `json:"owner,omitempty"`
	// Fix is the fix of the finding that quarantines the placement.
	Fix string `json:"fix,omitempty"`
	// More is the number of further conflicts.
	More int `json:"more,omitempty"`
}

// The limits of a RequestStatus: the number of placements, and the size of a text in bytes.
const (
	maxDestinations = 32
	longestText     = 1024
)

type requestKey struct {
	promise string
	key     kratix.Key
}

// Requests returns the requests of the selected Works, sorted. It omits a request while the state
// of one of its placements is not known or not final. In mode Manage, it returns none while another
// scheduler places Works.
func Requests(said report.Report, now Objects, mode Mode, selects Selects) []Request {
	p := newPlanner(said, now, mode, selects, metav1.Time{})
	if mode == Manage && p.other != nil {
		return nil
	}
	requests, uncertain := map[requestKey]*Request{}, map[requestKey]bool{}
	for _, work := range sorted(now.Works) {
		if !p.isOfRequest(work) {
			continue
		}
		key := requestKey{work.Spec.PromiseName, kratix.Key{Namespace: work.Namespace, Name: work.Spec.ResourceName}}
		request := requests[key]
		if request == nil {
			request = &Request{Promise: key.promise, Key: key.key}
			requests[key] = request
		}
		request.Works = append(request.Works, RequestWork{work.Name, work.UID})
		if !p.addTo(&request.Status, work) {
			uncertain[key] = true
		}
	}
	var all []Request
	for key, request := range requests {
		if !uncertain[key] {
			all = append(all, *request)
		}
	}
	slices.SortFunc(all, func(a, b Request) int {
		return cmp.Or(cmp.Compare(a.Promise, b.Promise), cmp.Compare(a.Key.Namespace, b.Key.Namespace), cmp.Compare(a.Key.Name, b.Key.Name))
	})
	return all
}

// isOfRequest reports whether a Work counts for the status of a request in its own namespace. A
// Work must not change a request in another namespace.
func (p *planner) isOfRequest(work *kratix.Work) bool {
	return !work.IsDependency() && work.Labels[kratix.DryRunLabel] != "true" && work.DeletionTimestamp.IsZero() &&
		cmp.Or(work.Labels[kratix.ResourceNamespaceLabel], work.Namespace) == work.Namespace && p.isSelected(work) && !p.isUnreadable(work)
}

// addTo adds the placements of a Work to the status of its request. It returns false if the state
// of a placement is not known or not final.
func (p *planner) addTo(status *RequestStatus, work *kratix.Work) bool {
	placements := p.byWork[kratix.KeyOf(work).String()]
	if len(placements) == 0 {
		return false
	}
	for _, placement := range placements {
		if placement.Unread || p.storeFails && placement.State == report.Unplaced {
			return false
		}
		written := false
		switch placement.State {
		case report.Placed, report.Unchanged, report.Kept:
			written = placement.Object != nil
		case report.HeldBack:
			written = placement.Object != nil && placement.Written
			if status.HeldBack == nil {
				status.HeldBack = p.heldBack(work, placement)
			}
		case report.Unplaced, report.Removed:
		case report.Pending, report.Rehearsed, report.Failed:
			return false
		}
		if written && len(status.Destinations) < maxDestinations {
			status.Destinations = append(status.Destinations, p.requestDestination(placement))
		}
	}
	return true
}

func (p *planner) requestDestination(placement report.Placement) RequestDestination {
	out := RequestDestination{Name: placement.Destination, Path: p.pathOf(placement)}
	if placement.Directory != kratix.DefaultDirectory {
		out.Directory = text(placement.Directory)
	}
	have := p.workPlacementByKey[kratix.KeyOf(placement.Object)]
	out.Revision = p.revisionOf(placement, have)
	reported := agentConditions{}
	if all := p.agentsOf([]report.Placement{placement}); len(all) > 0 {
		reported = all[0]
	}
	applied, healthy := lasting(reported.applied, have, kratix.AppliedCondition), lasting(reported.healthy, have, kratix.HealthyCondition)
	out.Applied, out.Healthy = applied.Status, healthy.Status
	out.Message = text(cmp.Or(trouble(applied), trouble(healthy)))
	return out
}

// revisionOf returns the revision in which the files of a placement were written, or "" if it is
// not known.
func (p *planner) revisionOf(placement report.Placement, have *kratix.WorkPlacement) string {
	switch {
	case p.mode == Promote:
		return "" // the WorkPlacement has a revision of the store that Kratix writes, not of the live store
	case p.mode == Manage && have == nil && placement.State == report.Placed: // the WorkPlacement is about to be created
		return p.revision[placement.Destination]
	case have == nil:
		return ""
	case p.mode == Manage:
		return p.version(have, placement)
	}
	return have.Status.VersionID
}

// lasting returns the reported condition, or else the condition in the WorkPlacement.
func lasting(reported report.AgentCondition, have *kratix.WorkPlacement, kind string) report.AgentCondition {
	if reported.Status != "" || have == nil {
		return reported
	}
	if was := meta.FindStatusCondition(have.Status.Conditions, kind); was != nil {
		return report.AgentCondition{Status: string(was.Status), Reason: was.Reason, Message: was.Message}
	}
	return report.AgentCondition{}
}

// trouble returns the message of a condition that is not True because something fails, and
// otherwise "".
func trouble(c report.AgentCondition) string {
	if c.Status == "" || c.Status == report.True || c.Reason == report.NotReported {
		return ""
	}
	return c.Message
}

// pathOf returns the path of the files of a placement, relative to the repository or bucket, or ""
// if it is not known.
func (p *planner) pathOf(placement report.Placement) string {
	d := p.destinationByName[placement.Destination]
	ref, known := p.storeRef(placement.Destination)
	if d == nil || !known {
		return ""
	}
	path, err := layout.PathOf(d, placement.Object)
	if err != nil {
		return ""
	}
	if store := p.storeOf(ref); store != nil {
		location, err := layout.StoreLocation(ref, store)
		if err != nil {
			return ""
		}
		path = location.Dir.Join(path)
	}
	return text(path.String())
}

func (p *planner) heldBack(work *kratix.Work, placement report.Placement) *RequestHeldBack {
	name := kratix.Describe(work)
	conflicts := p.conflicts[name]
	if len(conflicts) == 0 {
		return &RequestHeldBack{Reason: heldBack, Message: text(placement.Reason), Object: text(name), Fix: text(adviceOf(p.others[name]))}
	}
	conflict := conflicts[0]
	held := &RequestHeldBack{
		Reason: reasonOf(conflict), Message: text(conflict.Message), Object: text(conflict.Place.String()), Fix: text(conflict.Advice()), More: len(conflicts) - 1,
	}
	if len(conflict.Related) > 0 {
		held.Owner = text(conflict.Related[0].Place.Object + ": " + conflict.Related[0].Message)
	}
	return held
}

func adviceOf(findings []finding.Finding) string {
	if len(findings) == 0 {
		return ""
	}
	return findings[0].Advice()
}

func text(s string) string { return Shorten(printable.Line(s), longestText) }
