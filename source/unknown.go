package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// unknownKind reports an object that is not of a supported kind. A Kratix kind in another
// version or capitalization is rejected rather than ignored, since an ignored object would
// count as removed.
func (p *ParsedFile) unknownKind(header kratix.Header, at finding.Place) {
	kind := knownKind(header.Kind)
	switch {
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

// ignored reports an object that does not belong to Kratix.
func (p *ParsedFile) ignored(header kratix.Header, at finding.Place) {
	p.reportNameless(finding.Finding{
		Rule: finding.IgnoredObject(), Place: at, Message: fmt.Sprintf("%s of %s is ignored", header.Kind, header.APIVersion),
	})
}

// knownKind returns the kind that equals word ignoring case, or "".
func knownKind(word string) string {
	kinds := kratix.Kinds()
	if i := slices.IndexFunc(kinds, func(kind string) bool { return strings.EqualFold(kind, word) }); i >= 0 {
		return kinds[i]
	}
	return ""
}

// isKratix reports whether an apiVersion is of Kratix's group, in any version.
func isKratix(apiVersion string) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return strings.EqualFold(group, kratix.Group)
}

// checkBucket reports an invalid bucket name. The store stays in the snapshot, so that its
// placements are not moved elsewhere.
func (p *ParsedFile) checkBucket(object kratix.Object, at finding.Place) {
	store, ok := object.(*kratix.BucketStateStore)
	if !ok {
		return
	}
	if err := kratix.CheckBucketName(store.Spec.BucketName); err != nil {
		p.report(finding.InvalidObject(), at, err.Error())
	}
}
