package source

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// unknownKind reports an object that is none of Kratix's kinds as they are read
// here. What is one of them in another version or another spelling is rejected:
// taken for something else, it would count as removed.
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

// ignored reports an object of somebody else's.
func (p *ParsedFile) ignored(header kratix.Header, at finding.Place) {
	p.tellNameless(finding.Finding{
		Rule: finding.IgnoredObject(), Place: at, Message: fmt.Sprintf("%s of %s takes no part", header.Kind, header.APIVersion),
	})
}

// knownKind returns the kind that a word spells in whatever case; empty for none.
func knownKind(word string) string {
	kinds := kratix.Kinds()
	if i := slices.IndexFunc(kinds, func(kind string) bool { return strings.EqualFold(kind, word) }); i >= 0 {
		return kinds[i]
	}
	return ""
}

// isKratix reports whether an apiVersion is of Kratix's group, in any version or
// none.
func isKratix(apiVersion string) bool {
	group, _, _ := strings.Cut(apiVersion, "/")
	return strings.EqualFold(group, kratix.Group)
}

// checkBucket reports a bucket's name that no server takes. The store stays: what
// may be in it is not to be placed anew elsewhere.
func (p *ParsedFile) checkBucket(object kratix.Object, at finding.Place) {
	store, ok := object.(*kratix.BucketStateStore)
	if !ok {
		return
	}
	if err := kratix.CheckBucketName(store.Spec.BucketName); err != nil {
		p.report(finding.InvalidObject(), at, err.Error())
	}
}
