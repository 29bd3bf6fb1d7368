package applycheck

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func (c *check) checkRoots() []Verdict {
	p := c.newPresence()
	verdicts := make([]Verdict, len(c.roots))
	for i := range c.roots {
		r := &c.roots[i]
		v := &verdicts[i]
		*v = newVerdict()
		v.Provides, v.HasCustom = r.claimsProvide(), c.hasCustom(r)
		for j := range r.claims {
			if r.root.Claims[j].Kept {
				continue
			}
			var all []fileFaults
			s := r.claims[j]
			if p.lacks(i, s) {
				for _, file := range s.wanted {
					all = append(all, fileFaults{file, p.fileFaults(i, file)})
				}
			}
			if s.providesStored {
				for _, file := range s.stored {
					all = append(all, fileFaults{file, p.removalFaults(&s.claimFiles, file)})
				}
			}
			v.add(c.Cluster, j, all)
		}
	}
	return verdicts
}

type presence struct {
	*check
	// namespaces are those that every cluster is assumed to have, and those that a file creates.
	namespaces map[string]bool
	// opaque means that a kustomization in a root builds objects that are not known.
	opaque bool
	// installers contains for each root the name of an object that may install
	// CustomResourceDefinitions, or "" if the root has none.
	installers []string
	kinds      map[rootKind]*kindState
	// unmet reports, by root and by the number of a need, whether the need has a fault.
	unmet [][]bool
	// after contains the versions of custom kinds that are served after the round.
	after map[schema.GroupKind]map[string]bool
	// remaining contains, for each custom kind and version, one of the objects that exist after the
	// round.
	remaining map[schema.GroupVersionKind]*remainingObject
}

type rootKind struct {
	root int
	schema.GroupVersionKind
}

// remainingObject is one object of a kind after the round, with the number of all such objects.
type remainingObject struct {
	object *objectFacts
	file   *checkedFile
	count  int
}

func (c *check) newPresence() *presence {
	p := &presence{
		check:      c,
		namespaces: map[string]bool{"default": true, "kube-system": true, "kube-public": true, "kube-node-lease": true, "flux-system": c.Cluster.profile == nil},
		installers: make([]string, len(c.roots)), kinds: map[rootKind]*kindState{},
		after: map[schema.GroupKind]map[string]bool{}, remaining: map[schema.GroupVersionKind]*remainingObject{},
	}
	for i := range c.roots {
		r := &c.roots[i]
		p.opaque = p.opaque || r.opaque
		p.addFiles(i, r.foreign)
		for _, s := range r.claims {
			if s.providesWanted {
				p.addFiles(i, s.wanted)
			}
			if s.providesStored {
				// A stored namespace exists until Flux has applied everything else.
				p.addNamespaces(s.stored)
			}
		}
	}
	p.answerNeeds()
	return p
}

func (p *presence) addFiles(root int, files []*checkedFile) {
	p.addNamespaces(files)
	for _, file := range files {
		for i := range file.facts.objects {
			o := &file.facts.objects[i]
			if !o.applied {
				continue
			}
			if installs(o.GroupKind()) {
				p.installers[root] = o.String()
			}
			if o.defines != nil {
				p.addDefined(o.defines)
			}
			if o.provides() {
				p.addRemaining(o, file)
			}
		}
	}
}

func (p *presence) addNamespaces(files []*checkedFile) {
	for _, file := range files {
		for i := range file.facts.objects {
			if o := &file.facts.objects[i]; o.Kind == "Namespace" && o.Group == "" && o.applied {
				p.namespaces[o.name] = true
			}
		}
	}
}

func (p *presence) addDefined(defined *definedKind) {
	versions := p.after[defined.GroupKind]
	if versions == nil {
		versions = map[string]bool{}
		p.after[defined.GroupKind] = versions
	}
	for _, version := range defined.versions {
		versions[version] = true
	}
}

func (p *presence) addRemaining(o *objectFacts, file *checkedFile) {
	if found := p.remaining[o.GroupVersionKind]; found != nil {
		found.count++
		return
	}
	p.remaining[o.GroupVersionKind] = &remainingObject{object: o, file: file, count: 1}
}

// claimsProvide reports whether the claims may affect which kinds and namespaces exist.
func (r *rootFiles) claimsProvide() bool {
	isProvider := func(o objectFacts) bool {
		return o.applied && (o.defines != nil || installs(o.GroupKind()) || o.Group == "" && o.Kind == "Namespace")
	}
	hasProvider := func(file *checkedFile) bool { return slices.ContainsFunc(file.facts.objects, isProvider) }
	return r.opaque || slices.ContainsFunc(r.claims, func(s *claimState) bool {
		return s.providesWanted && slices.ContainsFunc(s.wanted, hasProvider) || s.providesStored && slices.ContainsFunc(s.stored, hasProvider)
	})
}

func (c *check) hasCustom(r *rootFiles) bool {
	isCustom := func(o objectFacts) bool {
		_, builtin := c.minor.Kind(o.GroupVersionKind)
		return o.applied && !builtin
	}
	return slices.ContainsFunc(r.claims, func(s *claimState) bool {
		return slices.ContainsFunc(s.wanted, func(file *checkedFile) bool { return slices.ContainsFunc(file.facts.objects, isCustom) })
	})
}

// installs reports whether objects of a kind may install CustomResourceDefinitions.
func installs(gk schema.GroupKind) bool {
	switch gk {
	case schema.GroupKind{Group: "helm.toolkit.fluxcd.io", Kind: "HelmRelease"}, schema.GroupKind{Group: "kustomize.toolkit.fluxcd.io", Kind: "Kustomization"},
		schema.GroupKind{Group: "operators.coreos.com", Kind: "Subscription"}, schema.GroupKind{Group: "argoproj.io", Kind: "Application"},
		schema.GroupKind{Group: "helm.cattle.io", Kind: "HelmChart"}, schema.GroupKind{Group: "kappctrl.k14s.io", Kind: "App"}:
		return true
	}
	return false
}

// lacks reports whether a need of a claim has a fault.
func (p *presence) lacks(root int, s *claimState) bool {
	return slices.ContainsFunc(s.needs, func(n int) bool { return p.unmet[root][n] })
}

func (p *presence) answerNeeds() {
	p.unmet = make([][]bool, len(p.roots))
	for root := range p.roots {
		p.unmet[root] = make([]bool, len(p.State.numbers))
	}
	for of, n := range p.State.numbers {
		o := &objectFacts{GroupVersionKind: of.GroupVersionKind, namespace: of.namespace, variable: isVariable(of.String())}
		for root := range p.roots {
			p.unmet[root][n] = len(p.needFaults(root, o)) > 0
		}
	}
}

func (p *presence) fileFaults(root int, file *checkedFile) []fault {
	var faults []fault
	for i := range file.facts.objects {
		if o := &file.facts.objects[i]; o.applied {
			faults = append(faults, p.needFaults(root, o)...)
		}
	}
	return faults
}

func (p *presence) needFaults(root int, o *objectFacts) []fault {
	if o.variable {
		return nil
	}
	var faults []fault
	state := p.kindOf(root, o.GroupVersionKind)
	if state.rule.ID != "" {
		f := newFault(state.rule, o, o.line, state.words)
		f.certain, f.versioned, f.fix = state.certain, state.versioned, state.fix
		f.quoted = state.quoted(o)
		faults = append(faults, f)
	}
	if state.namespaced {
		faults = append(faults, p.namespaceFaults(o)...)
	}
	return faults
}

func (p *presence) namespaceFaults(o *objectFacts) []fault {
	switch {
	case o.namespace == "":
		f := newFault(finding.NamespaceMissing(), o, o.line, "no namespace is set, and neither Flux nor the API server chooses one, unless the Flux Kustomization has a targetNamespace")
		f.quoted = o.flux() + " namespace not specified: the server could not find the requested resource"
		f.certain, f.fix, f.cause = false, "Add metadata.namespace.", finding.NamespaceUnset
		return []fault{f}
	case p.namespaces[o.namespace] || p.Cluster.hasNamespace(o.namespace) || isVariable(o.namespace) || !p.Cluster.isDescribed():
		return nil
	}
	f := newFault(finding.NamespaceMissing(), o, o.line, fmt.Sprintf("no file of the Destination creates the namespace %q", o.namespace))
	if p.Cluster.profile != nil {
		f.words += ", and " + p.Cluster.profileWords() + " does not have it"
	}
	f.quoted = fmt.Sprintf("%s not found: namespaces %q not found", o.flux(), o.namespace)
	f.certain, f.cause = p.Cluster.hasAll() && !p.opaque, finding.NamespaceUnknown
	return []fault{f}
}
