package dedupe

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Digest is a compact index of the roots of one cluster without conflicts. It is not safe for
// concurrent use.
type Digest struct {
	// owners maps the digest of an object or a path to the digest of its claim.
	owners map[digest]digest
	counts map[tree.Path]int
	scopes map[kindOf]int
}

type digest uint64

// Digest returns the Digest of the roots in the CheckCache, or nil if they may conflict.
func (m *CheckCache) Digest() *Digest {
	if !m.fits {
		return nil
	}
	d := &Digest{owners: map[digest]digest{}, counts: map[tree.Path]int{}, scopes: maps.Clone(m.cluster.scopes)}
	for path, root := range m.roots {
		d.put(path, "", root.foreign.entries)
		for _, claim := range root.claims {
			d.put(path, claim.name, claim.entries)
		}
	}
	return d
}

// Replace replaces claims by the claims with the same names in roots, if the result certainly has
// no conflict. It reports whether it did so; otherwise a Check of all claims is needed.
func (d *Digest) Replace(roots []Root) bool {
	replaced := map[digest]bool{}
	for _, root := range roots {
		for _, claim := range root.Claims {
			replaced[claimDigest(root.Path, claim.Rank.Name)] = true
		}
	}
	entries := make([][][]*entry, len(roots))
	come := map[digest]bool{}
	for i, root := range roots {
		read, ok := readPlain(root)
		if !ok {
			return false
		}
		objects := d.counts[root.Path]
		for _, claim := range read {
			objects += len(claim)
			for _, e := range claim {
				key := d.digestOf(e)
				if owner, taken := d.owners[key]; come[key] || (taken && !replaced[owner]) {
					return false
				}
				come[key] = true
			}
		}
		if buildSeconds(objects) >= slowSeconds {
			return false
		}
		entries[i] = read
	}
	d.drop(roots, replaced)
	for i, root := range roots {
		for j, claim := range root.Claims {
			d.put(root.Path, claim.Rank.Name, entries[i][j])
		}
	}
	return true
}

// Claims reports whether a claim or a foreign file occupies a path.
func (d *Digest) Claims(p tree.Path) bool {
	_, taken := d.owners[d.digestOf(&entry{id: pathIdentity(p)})]
	return taken
}

// readPlain returns the entries of the claims of a root. It returns false if a claim needs a Check.
func readPlain(root Root) ([][]*entry, bool) {
	if root.Cache == nil {
		root.Cache = &kustomize.Cache{}
	}
	var contents [][]byte
	for i := range root.Claims {
		contents = appendContents(contents, root.Claims[i].intended())
	}
	root.Cache.Load(contents)
	all := make([][]*entry, 0, len(root.Claims))
	for i := range root.Claims {
		claim := &root.Claims[i]
		parsed := newParsedClaim(claim)
		parsed.parse(&root, &parsed.claimant, claim)
		if parsed.broken > 0 || parsed.notes > 0 || parsed.kustomizations > 0 || claim.Kept || claim.Joined || len(claim.Shared) > 0 {
			return nil, false
		}
		for _, e := range parsed.entries {
			if e.defines != nil {
				return nil, false // a definition may change the meaning of other objects
			}
		}
		all = append(all, parsed.entries)
	}
	return all, true
}

func (d *Digest) put(root tree.Path, claim string, entries []*entry) {
	owner := claimDigest(root, claim)
	for _, e := range entries {
		d.owners[d.digestOf(e)] = owner
		if !e.id.isPath() {
			d.counts[root]++
		}
	}
}

func (d *Digest) drop(roots []Root, owners map[digest]bool) {
	rootOf := map[digest]tree.Path{}
	for _, root := range roots {
		for _, claim := range root.Claims {
			rootOf[claimDigest(root.Path, claim.Rank.Name)] = root.Path
		}
	}
	for key, owner := range d.owners {
		if owners[owner] {
			delete(d.owners, key)
			if key.isObject() {
				d.counts[rootOf[owner]]--
			}
		}
	}
}

func (d *Digest) digestOf(e *entry) digest {
	if e.id.isPath() {
		return digestOfStrings("path", e.id.object.Name) &^ 1
	}
	key := apiObjectOf(e.id.object, d.scopes)
	return digestOfStrings("object", key.group, key.kind, key.namespace, key.name) | 1
}

// isObject reports whether the digest is that of an object and not that of a path.
func (s digest) isObject() bool { return s&1 == 1 }

func claimDigest(root tree.Path, claim string) digest {
	return digestOfStrings("claim", root.String(), claim)
}

func digestOfStrings(words ...string) digest {
	var text [256]byte
	all := text[:0]
	for _, word := range words {
		all = binary.AppendUvarint(all, uint64(len(word)))
		all = append(all, word...)
	}
	sum := sha256.Sum256(all)
	return digest(binary.BigEndian.Uint64(sum[:]))
}
