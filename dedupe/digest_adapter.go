package dedupe

import "github.com/kratix-schedule/kratix-schedule/kustomize"

// What digest.go needs of this package; it goes with that file.

type reader struct{ root Root }

func (r *reader) appendContents(contents [][]byte, files []File) [][]byte {
	return appendContents(contents, files)
}

type known struct {
	owner          claimant
	total          counts
	entries        []*entry
	kustomizations int
}

func newKnown(*Claim) *known { return &known{} }

func (r *reader) know(k *known, of *claimant, claim *Claim) {
	parsed := newParsedClaim(claim)
	parsed.parse(&r.root, of, claim)
	k.total, k.entries, k.kustomizations = parsed.counts, parsed.entries, parsed.kustomizations
}

func (c *Claim) now() []File { return c.intended() }

func apiKey(id kustomize.ID, isClusterScoped func(kindOf) bool) apiObject {
	object := apiObjectOf(id, nil)
	if isClusterScoped(kindOf{object.group, object.kind}) {
		object.namespace = ""
	}
	return object
}
