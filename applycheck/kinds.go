package applycheck

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

// kindState is the fault of a kind in a root. Its rule is the zero Rule if there is no fault.
type kindState struct {
	rule               finding.Rule
	words, fix         string
	certain, versioned bool
	namespaced         bool
}

func (s *kindState) quoted(o *objectFacts) string {
	if s.rule.Severity != finding.Error {
		return ""
	}
	return fmt.Sprintf("%s dry-run failed: no matches for kind %q in version %q", o.flux(), o.Kind, o.GroupVersion())
}

func (p *presence) kindOf(root int, gvk schema.GroupVersionKind) *kindState {
	key := rootKind{root, gvk}
	if found := p.kinds[key]; found != nil {
		return found
	}
	state := p.newKindState(root, gvk)
	p.kinds[key] = &state
	return &state
}

func (p *presence) newKindState(root int, gvk schema.GroupVersionKind) kindState {
	served, inProfile := p.Cluster.served(gvk)
	sources := p.definitions[gvk.GroupKind()]
	for _, s := range sources {
		if slices.Contains(s.versions, gvk.Version) {
			return kindState{namespaced: s.namespaced}
		}
	}
	kind, builtin := p.minor.Kind(gvk)
	switch {
	case builtin && (inProfile || p.Cluster.profile == nil):
		state := p.deprecation(gvk)
		state.namespaced = kind.Namespaced
		return state
	case inProfile:
		return kindState{namespaced: served.Namespaced}
	case builtin:
		return kindState{
			rule: finding.KindNotServed(), certain: p.Cluster.lists(gvk.Group), namespaced: kind.Namespaced,
			words: fmt.Sprintf("%s does not have %s of %s, which Kubernetes may have disabled", p.Cluster.profileWords(), gvk.Kind, gvk.GroupVersion()) + p.Cluster.unreadWords(gvk.Group),
		}
	case scheme.Scheme.Recognizes(gvk) || p.minor.HasGroup(gvk.Group):
		return p.removed(gvk)
	case len(sources) > 0:
		return kindState{
			rule: finding.KindNotServed(), certain: !p.opaque && (sources[0].profile == nil || p.Cluster.lists(gvk.Group)), namespaced: sources[0].namespaced,
			words: fmt.Sprintf("the CustomResourceDefinition of %s does not serve the version %s, but %v", gvk.Kind, gvk.Version, sources[0].versions),
		}
	}
	return p.undefined(root, gvk)
}

// undefined returns the state of a custom kind without a known definition.
func (p *presence) undefined(root int, gvk schema.GroupVersionKind) kindState {
	elsewhere := false
	for i, installer := range p.installers {
		elsewhere = elsewhere || i != root && installer != ""
	}
	state := kindState{
		rule: finding.KindNotServed(), certain: p.Cluster.lists(gvk.Group) && !p.opaque && !elsewhere,
		words: fmt.Sprintf("nothing on the Destination defines %s of %s", gvk.Kind, gvk.GroupVersion()),
	}
	if p.Cluster.profile != nil {
		state.words += ", and " + p.Cluster.profileWords() + " does not have it" + p.Cluster.unreadWords(gvk.Group)
	}
	if installer := p.installers[root]; installer != "" && !elsewhere && !installs(gvk.GroupKind()) {
		state.rule = finding.ApplyOrder()
		state.words += fmt.Sprintf("; if %s installs it, Flux never applies either, as both are in one root", installer)
		return state
	}
	if !p.Cluster.isDescribed() {
		return kindState{}
	}
	return state
}

// deprecatedAt returns the minor in which the type of an object was deprecated, or zeros if it is
// not deprecated.
func deprecatedAt(object any) (major, minor int) {
	if life, has := object.(interface{ APILifecycleDeprecated() (major, minor int) }); has {
		return life.APILifecycleDeprecated()
	}
	return 0, 0
}

// removedAt returns the minor in which the type of an object is removed, or zeros if it is not
// removed.
func removedAt(object any) (major, minor int) {
	if life, has := object.(interface{ APILifecycleRemoved() (major, minor int) }); has {
		return life.APILifecycleRemoved()
	}
	return 0, 0
}

// replacement returns the end of a message that names the replacement of an object's kind and
// version, or "".
func replacement(object any) string {
	if replaced, has := object.(interface {
		APILifecycleReplacement() schema.GroupVersionKind
	}); has {
		if gvk := replaced.APILifecycleReplacement(); gvk.Kind != "" {
			return fmt.Sprintf("; use %s of %s", gvk.Kind, gvk.GroupVersion())
		}
	}
	return ""
}

func (p *presence) removed(gvk schema.GroupVersionKind) kindState {
	state := kindState{
		rule: finding.KindNotServed(), certain: p.Cluster.profile == nil || p.Cluster.disputed || p.Cluster.lists(gvk.Group), versioned: !p.Cluster.hasAll(),
		words: fmt.Sprintf("Kubernetes %s does not serve %s of %s", p.Cluster.Checked(), gvk.Kind, gvk.GroupVersion()) + p.Cluster.unreadWords(gvk.Group),
	}
	object, err := scheme.Scheme.New(gvk)
	if err != nil {
		return state
	}
	if major, minor := removedAt(object); major > 0 && reached(p.Cluster.Checked(), major, minor) {
		state.rule = finding.RemovedAPI()
		state.words = fmt.Sprintf("%s of %s was removed in Kubernetes %d.%d%s", gvk.Kind, gvk.GroupVersion(), major, minor, replacement(object))
	}
	return state
}

func (p *presence) deprecation(gvk schema.GroupVersionKind) kindState {
	object, err := scheme.Scheme.New(gvk)
	if err != nil {
		return kindState{}
	}
	major, minor := deprecatedAt(object)
	if major == 0 || !reached(p.Cluster.Checked(), major, minor) {
		return kindState{}
	}
	words := fmt.Sprintf("%s of %s is deprecated since Kubernetes %d.%d", gvk.Kind, gvk.GroupVersion(), major, minor)
	if major, minor = removedAt(object); major > 0 {
		words += fmt.Sprintf(", and will be removed in %d.%d", major, minor)
	}
	return kindState{rule: finding.DeprecatedAPI(), certain: true, words: words + replacement(object)}
}

func reached(checked string, major, minor int) bool {
	var atMajor, atMinor int
	if n, err := fmt.Sscanf(checked, "%d.%d", &atMajor, &atMinor); n != 2 || err != nil {
		return false
	}
	return atMajor > major || atMajor == major && atMinor >= minor
}
