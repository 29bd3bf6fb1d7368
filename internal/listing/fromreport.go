package listing

import (
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	readyState    = "ready"
	failedState   = "failed"
	cordonedState = "cordoned"
)

const cordonAnnotation = "kratix-schedule.io/cordon"

// FromReport returns the listing of a round and of the input that it read.
func FromReport(r report.Report, in source.Snapshot) Listing {
	var l Listing
	works := make(map[string]*kratix.Work, len(in.Works))
	for _, work := range in.Works {
		works[kratix.KeyOf(work).String()] = work
	}
	for i := range r.Placements {
		l.Placements = append(l.Placements, placementOf(&r.Placements[i], works))
	}
	failed := map[string]string{}
	for _, f := range r.Findings {
		if f.Rule == finding.StoreFailed() {
			failed[f.Place.Object] = f.Message
		}
		if isConflict(f.Rule.ID) {
			l.Conflicts = append(l.Conflicts, conflictOf(f))
		}
	}
	revisions := map[string]string{}
	for _, store := range r.Stores {
		revisions[store.Name] = store.Revision
	}
	for _, d := range in.Destinations {
		row := Destination{DestinationName: d.Name, State: readyState, Path: d.Spec.Path, Mode: d.FilepathMode(), Labels: d.Labels}
		if d.Spec.StateStoreRef != nil {
			row.Store = d.Spec.StateStoreRef.String()
		}
		if d.Annotations[cordonAnnotation] == "true" {
			row.State = cordonedState
		}
		if why, isFailed := failed[row.Store]; isFailed {
			row.State, row.Reason = failedState, why
		}
		l.Destinations = append(l.Destinations, row)
	}
	for _, store := range in.StateStores.All() {
		l.addStore(store, failed, revisions)
	}
	l.Count()
	l.setRevisions(revisions)
	return l
}

func (l *Listing) addStore(store kratix.StateStore, failed, revisions map[string]string) {
	row := Store{Kind: store.KindName(), StoreName: store.GetName(), State: readyState, URL: statestore.RedactURLs(store.Address()), Labels: store.GetLabels()}
	name := kratix.Describe(store)
	row.Revision = revisions[name]
	isUsed := false
	for _, d := range l.Destinations {
		if kratix.ObjectOf(d.Store) != name {
			continue
		}
		isUsed = true
		if why, isFailed := failed[d.Store]; isFailed && row.State == readyState {
			row.State, row.Reason = failedState, why
		}
	}
	if why, isFailed := failed[name]; isFailed {
		row.State, row.Reason = failedState, why
	} else if !isUsed {
		row.State, row.Reason = unusedState, "no Destination is on it"
	}
	l.Stores = append(l.Stores, row)
}

const unusedState = "unused"

func (l *Listing) setRevisions(revisions map[string]string) {
	for i := range l.Placements {
		if p := &l.Placements[i]; p.State == string(report.Placed) || p.State == string(report.Unchanged) {
			p.Revision = revisions[p.Store]
		}
	}
}

func placementOf(p *report.Placement, works map[string]*kratix.Work) Placement {
	namespace, name := splitName(p.Work)
	row := Placement{Namespace: namespace, Work: name, Group: p.Directory, Destination: p.Destination, State: string(p.State), Reason: p.Reason}
	if work := works[p.Work]; work != nil {
		row.Promise, row.Resource, row.Labels = work.Spec.PromiseName, work.Spec.ResourceName, work.Labels
	} else if p.Object != nil {
		row.Promise, row.Resource, row.Labels = p.Object.Spec.PromiseName, p.Object.Spec.ResourceName, p.Object.Labels
	}
	return row
}

func conflictOf(f finding.Finding) Conflict {
	row := Conflict{
		Rule: f.Rule.ID, RuleName: f.Rule.Name, Severity: f.Rule.Severity.String(), Object: f.Place.Object, File: f.Place.File,
		Message: f.Message, Fix: f.Advice(), Flux: f.Flux,
	}
	for _, related := range f.Related {
		row.With = append(row.With, related.Place.Object)
	}
	return row
}

// isConflict reports whether findings of a rule are listed as conflicts.
func isConflict(id string) bool {
	switch {
	case id >= "KS001" && id <= "KS019":
		return id != finding.LargeWork().ID && id != finding.SlowBuild().ID
	case id >= "KS100" && id <= "KS109":
		return true
	}
	return id == finding.SharedPath().ID || id == finding.PlacementRefused().ID
}

func splitName(key string) (namespace, name string) {
	namespace, name, found := strings.Cut(key, "/")
	if !found {
		return "", key
	}
	return namespace, name
}
