package applycheck

import (
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

func (c *check) checkClaims() []Verdict {
	verdicts := make([]Verdict, len(c.roots))
	for i := range c.roots {
		r := &c.roots[i]
		v := &verdicts[i]
		*v = newVerdict()
		for j := range r.claims {
			if r.root.Claims[j].Kept {
				continue
			}
			claim := r.claims[j]
			if claim.checked == nil || *claim.checked != c.against {
				claim.faults = c.claimFaults(r, claim)
				claim.checked = &c.against
			}
			v.add(c.Cluster, j, claim.faults)
		}
	}
	return verdicts
}

func (c *check) claimFaults(r *rootFiles, claim *claimState) (all []fileFaults) {
	for _, file := range claim.wanted {
		faults := c.ratcheted(r, &claim.claimFiles, c.faultsOf(r, file))
		faults = append(faults[:len(faults):len(faults)], c.changeFaults(r, &claim.claimFiles, file, faults)...)
		if len(faults) > 0 {
			all = append(all, fileFaults{file, faults})
		}
	}
	return all
}

// ratcheted returns the faults of a file. A fault that the stored custom resource already has
// becomes uncertain, because the API server may accept it in an update.
func (c *check) ratcheted(r *rootFiles, claim *claimFiles, faults []fault) []fault {
	if !slices.ContainsFunc(faults, func(f fault) bool { return f.ratcheted }) {
		return faults
	}
	faults = slices.Clone(faults)
	for _, stored := range claim.stored {
		for _, before := range c.faultsOf(r, stored) {
			for i := range faults {
				if f := &faults[i]; f.ratcheted && f.object == before.object && f.words == before.words {
					f.certain = false
				}
			}
		}
	}
	return faults
}

func (c *check) faultsOf(r *rootFiles, file *checkedFile) []fault {
	key := faultsKey{file: file.facts.digest, minor: c.minor.Version, definitions: c.definitions.digestOf(file.facts)}
	c.Memory.mu.Lock()
	found, known := c.Memory.faults.get(key)
	c.Memory.mu.Unlock()
	if known {
		return found
	}
	c.contentOf(r.root.Cache, file.Content, func(o *objectFacts, content *kustomize.Content) {
		if o.applied {
			found = append(found, c.objectFaults(o, content)...)
		}
	})
	c.Memory.mu.Lock()
	defer c.Memory.mu.Unlock()
	c.Memory.faults.put(key, found, 1+len(found), maxRemembered)
	return found
}

func (c *check) objectFaults(o *objectFacts, content *kustomize.Content) []fault {
	if o.variable {
		return nil
	}
	kind, builtin := c.minor.Kind(o.GroupVersionKind)
	if builtin && kind.Unpatchable {
		f := newFault(finding.KindNotServed(), o, o.line, "objects of this kind cannot be applied: the server does not allow this method on the requested resource")
		return []fault{f}
	}
	faults := append(checkMetadata(o, content, builtin), checkSize(o, content)...)
	for i := range faults {
		faults[i].everywhere = true
	}
	switch {
	case builtin:
		faults = append(faults, c.builtinFaults(o, content, kind)...)
		if o.defines != nil {
			faults = append(faults, checkDefinition(o, content)...)
		}
	case len(c.definitions[o.GroupKind()]) > 0:
		faults = append(faults, c.customFaults(o, content)...)
	}
	return withoutRepetition(faults)
}

func (c *check) builtinFaults(o *objectFacts, content *kustomize.Content, kind schemas.Kind) []fault {
	sent, accepted := c.sentBy(kind, content.Fields)
	typ := c.minor.Type(kind.Type)
	var faults []fault
	if !accepted {
		faults = checkTyped(o, content, typ, sent)
	}
	if o.Kind == "CertificateSigningRequest" { // the API server ignores changes of the spec
		return faults
	}
	if !accepted {
		faults = append(faults, checkFields(o, content, sent.applied, typ, c.minor)...)
	}
	faults = append(faults, checkRequired(o, content, sent.applied)...)
	return withoutUnchecked(o, faults, c.minor.Version)
}

// withoutUnchecked drops the faults in a StatefulSet that Kubernetes 1.33 does not find.
func withoutUnchecked(o *objectFacts, faults []fault, version string) []fault {
	if o.Kind != "StatefulSet" || !strings.HasPrefix(version, "1.33.") {
		return faults
	}
	return slices.DeleteFunc(faults, func(f fault) bool {
		inPod := strings.HasPrefix(f.words, "spec.template.spec.") && !strings.HasPrefix(f.words, "spec.template.spec.restartPolicy:")
		return inPod || strings.HasPrefix(f.words, "spec.volumeClaimTemplates")
	})
}

func withoutRepetition(faults []fault) []fault {
	once := faults[:0]
	for _, f := range faults {
		if !slices.ContainsFunc(once, func(other fault) bool { return other.words == f.words }) {
			once = append(once, f)
		}
	}
	return once
}
