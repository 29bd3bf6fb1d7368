package dedupe

import (
	"bytes"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// rootIndex is the first stage of a check: an index of the intended files of a root.
type rootIndex struct {
	ignored *kustomize.Ignored
	foreign *parsedClaim
	claims  []*parsedClaim
	index   *index
	paths   pathCounts
	cluster *clusterIndex
	counts
}

type counts struct {
	// broken and notes are numbers of findings. elsewhere is the number of objects in files of
	// other claims.
	broken, kustomizations, elsewhere, notes int
	objects, bytes                           int
}

func (c *counts) add(o counts, sign int) {
	c.broken += sign * o.broken
	c.kustomizations += sign * o.kustomizations
	c.elsewhere += sign * o.elsewhere
	c.notes += sign * o.notes
	c.objects += sign * o.objects
	c.bytes += sign * o.bytes
}

// parsedClaim is a claim whose intended files are parsed one by one, without their kustomizations.
type parsedClaim struct {
	claimant
	name, object string
	dir          tree.Path
	joined       bool
	files        []File
	entries      []*entry
	found        *fileFindings
	counts
	matched bool
}

// update parses the claims that have changed since the last check.
func (x *rootIndex) update(root *Root) {
	changed := x.match(root.Claims)
	if !sameFiles(x.foreign.files, root.Foreign) {
		x.remove(x.foreign)
		x.foreign = &parsedClaim{files: root.Foreign}
		changed = append(changed, x.foreign)
	}
	var contents [][]byte
	for _, k := range changed {
		contents = appendContents(contents, k.files)
	}
	root.Cache.Load(contents)
	for _, k := range changed {
		if k == x.foreign {
			k.parse(root, nil, &Claim{})
		} else {
			k.parse(root, &k.claimant, &root.Claims[k.at])
		}
		x.add(k)
	}
}

// match matches the claims with the claims of the last check, and removes claims that are gone. It
// returns the claims to parse.
func (x *rootIndex) match(claims []Claim) (changed []*parsedClaim) {
	now := make([]*parsedClaim, len(claims))
	var byName map[string][]*parsedClaim
	next := 0
	for i := range claims {
		claim := &claims[i]
		var before *parsedClaim
		switch {
		case next < len(x.claims) && x.claims[next].name == claim.Rank.Name && !x.claims[next].matched:
			before = x.claims[next]
			next++
		case next < len(x.claims) || byName != nil:
			if byName == nil {
				byName = map[string][]*parsedClaim{}
				for _, k := range x.claims {
					byName[k.name] = append(byName[k.name], k)
				}
			}
			if at := slices.IndexFunc(byName[claim.Rank.Name], func(k *parsedClaim) bool { return !k.matched }); at >= 0 {
				before = byName[claim.Rank.Name][at]
				next = before.at + 1
			}
		}
		if before != nil && before.isOf(claim) {
			before.matched, now[i] = true, before
			continue
		}
		now[i] = newParsedClaim(claim)
		changed = append(changed, now[i])
	}
	for _, k := range x.claims {
		if !k.matched {
			x.remove(k)
		}
	}
	for i, k := range now {
		k.at, k.matched = i, false
	}
	x.claims = now
	return changed
}

func newParsedClaim(claim *Claim) *parsedClaim {
	return &parsedClaim{name: claim.Rank.Name, object: claim.Object, dir: claim.Dir, joined: claim.Joined, files: claim.intended(), matched: true}
}

func (k *parsedClaim) isOf(claim *Claim) bool {
	return k.object == claim.Object && k.dir == claim.Dir && k.joined == claim.Joined && k.elsewhere == claim.elsewhere() && sameFiles(k.files, claim.intended())
}

func sameFiles(a, b []File) bool {
	return slices.EqualFunc(a, b, func(x, y File) bool {
		return x.Path == y.Path && x.Place == y.Place && bytes.Equal(x.Content, y.Content)
	})
}

// elsewhere returns the number of objects of a Kept claim that may be in files of other claims, and
// 0 for other claims.
func (c *Claim) elsewhere() int {
	if c.Kept {
		return len(c.Shared)
	}
	return 0
}

func (k *parsedClaim) parse(root *Root, of *claimant, claim *Claim) {
	var found fileFindings
	for _, file := range k.files {
		switch {
		case root.Ignored.Has(file.Path):
		case kustomize.IsKustomization(file.Path):
			k.kustomizations++
		default:
			k.entries = append(k.entries, parseFile(root, of, file, &found)...)
		}
	}
	found.noteNothing(claim, k.entries)
	if k.broken, k.notes = len(found.broken), len(found.notes); k.broken+k.notes > 0 {
		k.found = &found
	}
	k.objects = len(k.entries)
	for _, e := range k.entries {
		if e.position == 1 {
			k.bytes += len(e.text)
		}
	}
	k.entries = append(k.entries, claimedPaths(root, of, claim, k.files)...)
	k.elsewhere = claim.elsewhere()
}

func (x *rootIndex) add(k *parsedClaim) {
	for _, e := range k.entries {
		x.index.add(e)
		first := x.index.count(e.id) == 1
		if e.id.isPath() {
			x.paths.add(e, first, x.index)
		}
		x.cluster.count(e, first, 1)
	}
	x.counts.add(k.counts, 1)
}

func (x *rootIndex) remove(k *parsedClaim) {
	for _, e := range k.entries {
		x.index.remove(e)
		last := x.index.count(e.id) == 0
		if e.id.isPath() {
			x.paths.remove(e, last, x.index)
		}
		x.cluster.count(e, last, -1)
	}
	x.counts.add(k.counts, -1)
}

func (x *rootIndex) fits() bool {
	return len(x.index.repeated) == 0 && x.paths.contested == 0 && x.broken == 0 && x.kustomizations == 0 && x.elsewhere == 0
}

// allNotes returns the findings that quarantine nothing, except those of Kept claims.
func (x *rootIndex) allNotes(claims []Claim) []finding.Finding {
	if x.notes == 0 {
		return nil
	}
	var all fileFindings
	all.add(x.foreign.found)
	for _, k := range x.claims {
		if !claims[k.at].Kept {
			all.add(k.found)
		}
	}
	return all.notes
}
