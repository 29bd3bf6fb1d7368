package promoted

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// Stores maps staging state stores, which Kratix writes, to live state stores.
type Stores map[kratix.StateStoreReference]kratix.StateStoreReference

// ErrReference is the error about a reference that is not KIND/NAME.
var ErrReference = errors.New("a state store is named as " + strings.Join(kratix.StateStoreKinds(), "/NAME, ") + "/NAME")

// ParseReference parses KIND/NAME. It returns ErrReference if the text has another form.
func ParseReference(text string) (kratix.StateStoreReference, error) {
	ref, ok := kratix.ParseStateStoreReference(text)
	if !ok {
		return ref, ErrReference
	}
	return ref, nil
}

// moved is a Destination (from), and its copy on its live state store (to).
type moved struct {
	from, to *kratix.Destination
}

// destinations returns the Destinations on their live state stores, with the state stores to open.
// unwritten are the Destinations without a usable live state store.
func (s *Source) destinations(seen source.Snapshot) (made []kratix.Object, unwritten []*kratix.Destination, findings []finding.Finding) {
	stores := storesIn(seen)
	staging := newStaging(seen, stores)
	before, live := s.moved, map[kratix.StateStoreReference]bool{}
	s.moved = make(map[string]moved, len(seen.Destinations))
	for _, d := range seen.Destinations {
		ref, wrong := s.usableStore(d, stores, staging)
		if wrong != nil {
			wrong.Place = finding.Place{Object: kratix.Describe(d)}
			findings, unwritten = append(findings, *wrong), append(unwritten, d)
			continue
		}
		live[ref] = true
		is := before[d.Name]
		if is.from != d || *is.to.Spec.StateStoreRef != ref.For(d) {
			is = moved{d, on(d, ref)}
		}
		s.moved[d.Name] = is
		made = append(made, is.to)
	}
	for ref, store := range stores {
		if live[ref] || !staging.stores[ref] { // an unused store may have placements that were promoted earlier
			made = append(made, store)
		}
	}
	return made, unwritten, findings
}

// Opened returns a function that selects the state stores that promote mode opens.
func Opened(live Stores) func([]kratix.Object) []kratix.Object {
	return func(objects []kratix.Object) []kratix.Object {
		made, _, _ := (&Source{live: live}).destinations(source.Gather(objects))
		return slices.DeleteFunc(made, func(o kratix.Object) bool { return o.KindName() == kratix.DestinationKind })
	}
}

func on(d *kratix.Destination, ref kratix.StateStoreReference) *kratix.Destination {
	to := *d
	ref = ref.For(d)
	to.Spec.StateStoreRef = &ref
	return &to
}

func storesIn(seen source.Snapshot) map[kratix.StateStoreReference]kratix.Object {
	stores := map[kratix.StateStoreReference]kratix.Object{}
	for _, store := range seen.StateStores.All() {
		stores[kratix.ReferenceTo(store)] = store
	}
	return stores
}

// filesStay is the end of messages about Destinations without a usable live state store.
const filesStay = "; nothing is promoted for it, and what was promoted before stays where it is"

// usableStore returns the live state store of a Destination, or a finding if it cannot be used.
func (s *Source) usableStore(d *kratix.Destination, stores map[kratix.StateStoreReference]kratix.Object, staging staging) (kratix.StateStoreReference, *finding.Finding) {
	ref, wrong := s.liveStore(d, stores)
	if wrong == nil {
		wrong = staging.overlap(d, ref, stores[ref])
	}
	return ref, wrong
}

func (s *Source) liveStore(d *kratix.Destination, stores map[kratix.StateStoreReference]kratix.Object) (kratix.StateStoreReference, *finding.Finding) {
	text, annotated := d.Annotations[scheduler.StateStoreAnnotation]
	ref, mapped := s.live[*d.Spec.StateStoreRef]
	by := "--live-store"
	if annotated {
		by = "the annotation " + scheduler.StateStoreAnnotation
		var err error
		if ref, err = ParseReference(text); err != nil {
			return ref, &finding.Finding{Rule: finding.InvalidLiveStore(), Message: fmt.Sprintf("%s is %q, and %v%s", by, text, err, filesStay)}
		}
	}
	switch {
	case !annotated && !mapped:
		return ref, &finding.Finding{Rule: finding.NotPromoted(), Message: fmt.Sprintf(
			"it has no annotation %s, and --live-store has nothing for %s%s", scheduler.StateStoreAnnotation, *d.Spec.StateStoreRef, filesStay)}
	case stores[ref] == nil:
		return ref, &finding.Finding{
			Rule: finding.InvalidLiveStore(), Message: fmt.Sprintf("%s names %s, which is not there or cannot be used%s", by, ref, filesStay),
			Fix: fmt.Sprintf("Create the %s, or correct %s.", ref, by),
		}
	}
	return ref, nil
}

type staging struct {
	stores map[kratix.StateStoreReference]bool
	// locations contains the locations of all Destinations, by canonical storage.
	locations map[string][]stagingLocation
}

type stagingLocation struct {
	layout.Location
	of *kratix.Destination
}

func newStaging(seen source.Snapshot, stores map[kratix.StateStoreReference]kratix.Object) staging {
	s := staging{stores: map[kratix.StateStoreReference]bool{}, locations: map[string][]stagingLocation{}}
	for _, d := range seen.Destinations {
		ref := *d.Spec.StateStoreRef
		if ref.Kind == kratix.OCIStateStoreKind {
			continue // Kratix does not write to OCIStateStores
		}
		s.stores[ref] = true
		if at, err := canonicalLocation(d, ref, stores[ref]); err == nil {
			s.locations[at.Storage] = append(s.locations[at.Storage], stagingLocation{at, d})
		}
	}
	return s
}

// canonicalLocation returns the location of a Destination in a state store, with the canonical
// storage. It returns an error if a path is invalid.
func canonicalLocation(d *kratix.Destination, ref kratix.StateStoreReference, store kratix.Object) (layout.Location, error) {
	at, err := layout.DestinationLocation(d, ref, store)
	at.Storage = canonical(ref.Kind, at.Storage)
	return at, err
}

// canonical returns the same text for spellings of a storage that many servers treat alike. The
// worst effect of a false match is that a placement is not promoted.
func canonical(kind, storage string) string {
	switch kind {
	case kratix.OCIStateStoreKind:
		return storage
	case kratix.GitStateStoreKind:
		repository, branch, _ := strings.Cut(storage, "#")
		return strings.ToLower(repository) + "#" + branch
	}
	endpoint, bucket, _ := strings.Cut(storage, "/")
	host, port, _ := strings.Cut(endpoint, ":")
	host = strings.TrimSuffix(host, ".")
	domain, isAWS := "amazonaws.com", false
	for _, of := range []string{domain, domain + ".cn"} {
		service, isOf := strings.CutSuffix(host, "."+of)
		if isOf && (service == "s3" || strings.HasPrefix(service, "s3.") || strings.HasPrefix(service, "s3-")) {
			domain, isAWS = of, true
		}
	}
	if isAWS && (port == "" || port == "443" || port == "80") {
		return "s3." + domain + "/" + bucket
	}
	return strings.TrimSuffix(host+":"+port, ":") + "/" + bucket
}

// overlap returns a finding if Kratix writes to the live location of a Destination, and nil
// otherwise.
func (s staging) overlap(d *kratix.Destination, ref kratix.StateStoreReference, store kratix.Object) *finding.Finding {
	at, err := canonicalLocation(d, ref, store)
	if err != nil {
		return nil
	}
	all := s.locations[at.Storage]
	i := slices.IndexFunc(all, func(other stagingLocation) bool { return at.Overlaps(other.Location) })
	if i < 0 {
		return nil
	}
	other := all[i]
	return &finding.Finding{
		Rule: finding.InvalidLiveStore(), Message: fmt.Sprintf("its directory %q in %s is where Kratix writes Destination %s, at %q of %s%s",
			at.Dir, ref, other.of.Name, other.Dir, *other.of.Spec.StateStoreRef, filesStay),
		Fix: "Give the live state store another repository, branch, bucket or path than the one that Kratix writes.",
	}
}
