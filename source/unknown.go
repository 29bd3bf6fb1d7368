package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// unknownKind adds a finding about an object of an unsupported kind. It rejects objects that seem
// to be of a Kratix kind.
func (p *ParsedFile) unknownKind(header kratix.Header, at finding.Place) {
	kind := knownKind(header.Kind)
	switch {
	case header.Kind == kratix.RolloutKind && strings.HasPrefix(header.APIVersion, ownGroup):
		p.reject(header, finding.Finding{
			Rule: finding.UnsupportedVersion(), Place: at,
			Message: fmt.Sprintf("%s of %s cannot be read: only %s is supported", header.Kind, header.APIVersion, kratix.OwnAPIVersion),
			Fix:     "Use " + kratix.OwnAPIVersion + ".",
		})
	case !isKratix(header.APIVersion):
		p.ignored(header, at)
	case header.APIVersion != kratix.APIVersion:
		if kind != "" {
			header.Kind = kind
		}
		p.reject(header, finding.Finding{
			Rule: finding.UnsupportedVersion(), Place: at,
			Message: fmt.Sprintf("%s of %s cannot be read: only %s is supported", header.Kind, header.APIVersion, kratix.APIVersion),
		})
	case kind != "":
		wrong := header.Kind
		header.Kind = kind
		p.reject(header, finding.Finding{
			Rule: finding.InvalidObject(), Place: at, Message: fmt.Sprintf("the kind %s is not known; did you mean %s?", wrong, kind),
			Fix: "Write the kind as " + kind + ".",
		})
	default:
		p.ignored(header, at)
	}
}

// ownGroup is the API group of this program's own kinds, with the slash before the version.
const ownGroup = "kratix-schedule.io/"

func (p *ParsedFile) ignored(header kratix.Header, at finding.Place) {
	p.reportNameless(finding.Finding{
		Rule: finding.IgnoredObject(), Place: at, Message: fmt.Sprintf("%s of %s is ignored", header.Kind, header.APIVersion),
	})
}

func knownKind(word string) string {
	kinds := kratix.Kinds()
	if i := slices.IndexFunc(kinds, func(kind string) bool { return strings.EqualFold(kind, word) }); i >= 0 {
		return kinds[i]
	}
	return ""
}

func isKratix(apiVersion string) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return strings.EqualFold(group, kratix.Group)
}

// checkBucket adds a finding about an invalid bucket name. The store stays in the snapshot.
func (p *ParsedFile) checkBucket(object kratix.Object, at finding.Place) {
	store, ok := object.(*kratix.BucketStateStore)
	if !ok {
		return
	}
	if err := kratix.CheckBucketName(store.Spec.BucketName); err != nil {
		p.report(finding.InvalidObject(), at, err.Error())
	}
}
