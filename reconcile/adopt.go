package reconcile

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// adoptUnrecorded adds implied records for groups of requests that are placed nowhere yet.
func adoptUnrecorded(o *observed, seen *observations) {
	found := unrecorded{requests: map[requestName][]home{}, listed: map[listedGroup][]home{}}
	for _, store := range o.stores {
		if store.err != nil {
			continue
		}
		for _, d := range store.destinations {
			found.add(home{d, store}, seen)
		}
	}
	if len(found.requests)+len(found.listed) == 0 {
		return
	}
	placed := o.placed()
	for _, work := range o.Works {
		if work.IsDependency() {
			continue
		}
		for i := range work.Spec.WorkloadGroups {
			group := &work.Spec.WorkloadGroups[i]
			at := placedGroup{kratix.KeyOf(work), group.ID}
			if len(placed[at]) == 0 {
				placed[at] = found.adopt(o, work, group)
			}
		}
	}
}

// unrecorded are the Destinations of files that may have no record.
type unrecorded struct {
	// requests are for filepath mode nestedByMetadata.
	requests map[requestName][]home
	// listed is for filepath mode none, in which Kratix keeps lists of its files.
	listed map[listedGroup][]home
}

type requestName struct{ namespace, promise, resource string }

// listedGroup is the name of a file list of Kratix, without the Destination.
type listedGroup struct{ work, shortID string }

func (u *unrecorded) add(h home, seen *observations) {
	switch h.FilepathMode() {
	case kratix.NestedByMetadata:
		for _, request := range seen.unrecordedRequests(h) {
			u.requests[request] = append(u.requests[request], h)
		}
	case kratix.None:
		for path := range h.legacy {
			name := strings.TrimSuffix(path.Base(), ".yaml")
			if work, shortID, ok := cutLast(name, "."+h.Name+"-"); ok {
				u.listed[listedGroup{work, shortID}] = append(u.listed[listedGroup{work, shortID}], h)
			}
		}
	}
}

func cutLast(s, separator string) (before, after string, found bool) {
	at := strings.LastIndex(s, separator)
	if at < 0 {
		return "", "", false
	}
	return s[:at], s[at+len(separator):], true
}

// adopt adds an implied record on each Destination that has files of the group, and returns the
// names of these Destinations.
func (u *unrecorded) adopt(w *observed, work *kratix.Work, group *kratix.WorkloadGroup) (on []string) {
	name := requestName{work.Namespace, work.Spec.PromiseName, work.Spec.ResourceName}
	homes := slices.Concat(u.requests[name], u.listed[listedGroup{work.Namespace + "-" + work.Name, kratix.ShortID(group.ID)}])
	for _, h := range homes {
		p := kratix.NewWorkPlacement(work, group, h.Name)
		if w.Assigned && !w.isAssigned(p, h.Name) {
			continue
		}
		if adopted := h.impliedRecord(p); len(adopted.Files) > 0 {
			h.records = append(slices.Clip(h.records), adopted)
			h.assumed = append(slices.Clip(h.assumed), p)
			on = append(on, h.Name)
		}
	}
	return on
}

type unrecordedView struct {
	store    statestore.Store
	files    statestore.Files
	requests []requestName
}

// unrecordedRequests returns h.unrecordedRequests(), from the cache if the files have not changed.
func (o *observations) unrecordedRequests(h home) []requestName {
	known, ok := o.unrecorded.get(h.Destination)
	if ok && known.store == h.store.Store && known.files.Same(h.store.state.Files, h.base) {
		return known.requests
	}
	view := unrecordedView{store: h.store.Store, files: h.store.state.Files, requests: h.unrecordedRequests()}
	return o.unrecorded.put(h.Destination, view).requests
}

func (h home) unrecordedRequests() []requestName {
	root := h.roots[len(h.roots)-1]
	listed, recorded := 0, make(map[requestName]bool, len(h.records))
	for _, record := range h.records {
		if p := record.Placement; !p.IsDependency() {
			recorded[requestName{p.Namespace, p.Spec.PromiseName, p.Spec.ResourceName}] = true
			listed += len(record.Files)
		}
	}
	if below := h.store.state.Files.Within(root).Len(); below <= listed {
		return nil
	}
	var requests []requestName
	for path := range h.store.state.Files.Below(root) {
		name, ok := requestOf(path, root)
		if ok && !recorded[name] && (len(requests) == 0 || requests[len(requests)-1] != name) {
			requests = append(requests, name)
		}
	}
	return requests
}

// requestOf returns the request that a path below resources/ belongs to, if there is one.
func requestOf(path, root tree.Path) (requestName, bool) {
	below, _ := path.RelativeTo(root)
	namespace, rest := below.Cut()
	promise, rest := rest.Cut()
	resource, rest := rest.Cut()
	return requestName{namespace, promise, resource}, !rest.IsRoot() && !rest.Dir().IsRoot()
}
