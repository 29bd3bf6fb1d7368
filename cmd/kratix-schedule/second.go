package main

import (
	"bytes"
	"context"
	"regexp"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/finding"
	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// secondSuffix makes the name of a second request, and of its namespace, out of
// the first's.
const secondSuffix = "-second"

// secondRequests adds, for each Work of a request, the Work that the same
// pipeline would make of a request with another name in another namespace, and
// puts everything on one Destination.
type secondRequests struct {
	source.Source
	// originals gives the Work that a second one was made of.
	originals map[string]string
}

// Snapshot reads the input and doubles it.
func (s *secondRequests) Snapshot(ctx context.Context) (source.Snapshot, error) {
	snapshot, err := s.Source.Snapshot(ctx)
	if err != nil {
		return snapshot, err
	}
	s.originals = map[string]string{}
	works := snapshot.Works
	for _, work := range snapshot.Works {
		if work.Spec.ResourceName == "" {
			continue
		}
		second, err := secondOf(work)
		if err != nil {
			continue // what cannot be decoded is told of the first
		}
		s.originals[kratix.Describe(second)] = kratix.Describe(work)
		works = append(works[:len(works):len(works)], second)
	}
	snapshot.Works = works
	if len(works) > 0 {
		snapshot.Destinations = scheduler.Assume(works)
		store := &kratix.GitStateStore{}
		store.Name = snapshot.Destinations[0].Spec.StateStoreRef.Name
		snapshot.GitStateStores = append(snapshot.GitStateStores, store)
	}
	return snapshot, nil
}

// secondOf makes the Work of a second request: wherever the request's name
// stands for itself, and wherever its namespace is one, another stands.
func secondOf(work *kratix.Work) (*kratix.Work, error) {
	second := *work
	name := work.Spec.ResourceName
	second.Name += secondSuffix
	second.Namespace += secondSuffix
	second.Spec.ResourceName += secondSuffix
	second.UID = ""
	second.Labels = map[string]string{}
	for key, value := range work.Labels {
		second.Labels[key] = value
	}
	second.Labels[kratix.ResourceNameLabel] = second.Spec.ResourceName
	second.Labels[kratix.ResourceNamespaceLabel] = second.Namespace
	second.Spec.WorkloadGroups = nil
	for _, group := range work.Spec.WorkloadGroups {
		var workloads []kratix.Workload
		for _, workload := range group.Workloads {
			content, err := kratix.Decode(workload.Content)
			if err != nil {
				return nil, err
			}
			workload.Content = kratix.Encode(renamed(content, name, work.Namespace))
			workloads = append(workloads, workload)
		}
		group.Workloads = workloads
		second.Spec.WorkloadGroups = append(second.Spec.WorkloadGroups, group)
	}
	return &second, nil
}

// renamed puts the second request's name and namespace into a file.
func renamed(content []byte, name, namespace string) []byte {
	asNamespace := regexp.MustCompile(`(?m)(\bnamespace:\s*["']?)` + regexp.QuoteMeta(namespace) + `(["']?\s*$)`)
	content = asNamespace.ReplaceAll(content, []byte("${1}"+namespace+secondSuffix+"${2}"))
	word := regexp.MustCompile(`[A-Za-z0-9]*` + regexp.QuoteMeta(name) + `[A-Za-z0-9]*`)
	return word.ReplaceAllFunc(content, func(found []byte) []byte {
		if !bytes.Equal(found, []byte(name)) {
			return found
		}
		return append(found[:len(found):len(found)], secondSuffix...)
	})
}

// told makes of each clash of a second request what it says about the first.
func (s *secondRequests) told(findings []finding.Finding) []finding.Finding {
	var told []finding.Finding
	for _, f := range findings {
		first, second := s.originals[f.Place.Object]
		switch {
		case !second && len(f.Related) > 0 && s.isSecond(f.Related[0].Place.Object):
			// The second was first in order; the clash is the same.
			f.Rule, f.Fix = finding.SecondRequest(), ""
			f.Related = []finding.Related{{Place: f.Place, Message: "the same request under another name and namespace"}}
		case !second:
		case f.Rule != finding.DuplicateObject():
			continue // the same is told of the first
		default:
			f.Rule, f.Fix = finding.SecondRequest(), ""
			f.Place.Object = first
			f.Related = []finding.Related{{Place: f.Place, Message: "the same request under another name and namespace"}}
		}
		if f.Rule == finding.SecondRequest() {
			f.Message = "a second request brings " + strings.Split(f.Message, " is in ")[0] + " again"
		}
		told = append(told, f)
	}
	finding.Sort(told)
	return told
}

func (s *secondRequests) isSecond(object string) bool {
	_, second := s.originals[object]
	return second
}
