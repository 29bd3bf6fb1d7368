package listing

import (
	"fmt"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// Object is an object of a cluster, with the fields that rows need.
type Object struct {
	Kind     string `json:"-"`
	Metadata struct {
		Name        string            `json:"name"`
		Namespace   string            `json:"namespace"`
		Labels      map[string]string `json:"labels"`
		Annotations struct {
			Cordon string `json:"kratix-schedule.io/cordon"`
			Store  string `json:"kratix-schedule.io/state-store"`
		} `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		PromiseName           string `json:"promiseName"`
		ResourceName          string `json:"resourceName"`
		TargetDestinationName string `json:"targetDestinationName"`
		ID                    string `json:"id"`
		Path                  string `json:"path"`
		URL                   string `json:"url"`
		BucketName            string `json:"bucketName"`
		StateStoreRef         struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"stateStoreRef"`
		Filepath struct {
			Mode string `json:"mode"`
		} `json:"filepath"`
	} `json:"spec"`
	Status struct {
		VersionID  string      `json:"versionID"`
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

func (o *Object) condition(name string) (condition, bool) {
	for _, c := range o.Status.Conditions {
		if c.Type == name {
			return c, true
		}
	}
	return condition{}, false
}

// FromCluster returns the listing of the objects of a cluster, with the states that their
// conditions report.
func FromCluster(objects []Object) Listing {
	var l Listing
	placed, works := map[string]bool{}, map[string]*Object{}
	for i := range objects {
		if o := &objects[i]; o.Kind == kratix.WorkKind {
			works[join(o.Metadata.Namespace, o.Metadata.Name)] = o
		}
	}
	for i := range objects {
		o := &objects[i]
		switch o.Kind {
		case kratix.WorkPlacementKind:
			row := placementIn(o)
			if work := works[row.Name()]; work != nil {
				row.Labels = work.Metadata.Labels
			}
			placed[row.Name()] = true
			l.Placements = append(l.Placements, row)
			l.addConflict(o, row)
		case kratix.DestinationKind:
			l.Destinations = append(l.Destinations, destinationIn(o))
		case kratix.GitStateStoreKind, kratix.BucketStateStoreKind, kratix.OCIStateStoreKind:
			l.Stores = append(l.Stores, storeIn(o))
		}
	}
	for i := range objects {
		o := &objects[i]
		if o.Kind != kratix.WorkKind || placed[join(o.Metadata.Namespace, o.Metadata.Name)] {
			continue
		}
		row := Placement{
			Namespace: o.Metadata.Namespace, Work: o.Metadata.Name, Group: kratix.DefaultDirectory, State: string(report.Unplaced),
			Promise: o.Spec.PromiseName, Resource: o.Spec.ResourceName, Labels: o.Metadata.Labels,
		}
		for _, name := range []string{"ScheduleSucceeded", "Scheduled", "Ready"} {
			if c, known := o.condition(name); known && c.Status == "False" {
				row.Reason = c.Message
				break
			}
		}
		l.Placements = append(l.Placements, row)
	}
	l.Count()
	return l
}

func placementIn(o *Object) Placement {
	row := Placement{
		Namespace: o.Metadata.Namespace, Work: o.Metadata.Labels[kratix.WorkLabel], Group: groupOf(o.Spec.ID), Destination: o.Spec.TargetDestinationName,
		State: unknownState, Promise: o.Spec.PromiseName, Resource: o.Spec.ResourceName, Revision: o.Status.VersionID, Labels: o.Metadata.Labels,
	}
	if row.Work == "" {
		row.Work = o.Metadata.Name
	}
	ready, known := o.condition("Ready")
	if free, reported := o.condition("ConflictFree"); reported && free.Status == "False" {
		row.State, row.Reason = string(report.HeldBack), free.Message
		return row
	}
	switch {
	case !known:
		row.Reason = "no controller has reported its condition Ready"
	case ready.Status == "True":
		row.State = string(report.Placed)
	case ready.Reason == "Misplaced":
		row.State, row.Reason = string(report.Kept), ready.Message
	case ready.Reason == "ScheduledToDestination":
		row.State, row.Reason = string(report.Pending), ready.Message
	default:
		row.State, row.Reason = string(report.Failed), ready.Message
	}
	return row
}

func (l *Listing) addConflict(o *Object, row Placement) {
	free, reported := o.condition("ConflictFree")
	if !reported || free.Status != "False" {
		return
	}
	conflict := Conflict{RuleName: free.Reason, Severity: "error", Object: kratix.WorkKind + " " + row.Name(), Message: free.Message}
	if row.Destination != "" {
		conflict.With = []string{kratix.DestinationKind + " " + row.Destination}
	}
	l.Conflicts = append(l.Conflicts, conflict)
}

// stateOf returns the state that the condition Ready describes, and the reason if it is not ready.
func (o *Object) stateOf() (state, reason string) {
	ready, known := o.condition("Ready")
	switch {
	case !known:
		return unknownState, "no controller has reported its condition Ready"
	case ready.Status == "True":
		return readyState, ""
	}
	return failedState, fmt.Sprintf("%s: %s", ready.Reason, ready.Message)
}

func destinationIn(o *Object) Destination {
	row := Destination{DestinationName: o.Metadata.Name, Path: o.Spec.Path, Mode: o.Spec.Filepath.Mode, Labels: o.Metadata.Labels}
	row.State, row.Reason = o.stateOf()
	if row.State != failedState && o.Metadata.Annotations.Cordon == "true" {
		row.State = cordonedState
	}
	if named, ok := kratix.ParseStateStoreReference(o.Metadata.Annotations.Store); ok && named.Kind == kratix.OCIStateStoreKind {
		row.Store = named.For(destinationOf(o)).String()
	} else if ref := o.Spec.StateStoreRef; ref.Name != "" {
		row.Store = ref.Kind + " " + ref.Name
	}
	return row
}

func destinationOf(o *Object) *kratix.Destination {
	d := &kratix.Destination{}
	d.Name, d.Spec.Path = o.Metadata.Name, o.Spec.Path
	return d
}

func storeIn(o *Object) Store {
	row := Store{Kind: o.Kind, StoreName: o.Metadata.Name, URL: statestore.RedactURLs(o.Spec.URL), Labels: o.Metadata.Labels}
	if o.Kind == kratix.BucketStateStoreKind {
		row.URL = join("s3://"+o.Spec.BucketName, strings.Trim(o.Spec.Path, "/"))
	}
	row.State, row.Reason = o.stateOf()
	return row
}
