package applycheck

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

type source struct {
	*definedKind
	file     digest
	content  []byte
	cache    *kustomize.Cache
	position int
	// profile is the definition in the profile. It is nil for a definition in a file.
	profile *profile.Definition
}

// definitions are the CustomResourceDefinitions of a Destination by the kind that they define.
type definitions map[schema.GroupKind][]*source

func (d definitions) add(s *source) {
	for _, other := range d[s.GroupKind] {
		if other.file == s.file && other.position == s.position {
			return
		}
	}
	d[s.GroupKind] = append(d[s.GroupKind], s)
}

func (d definitions) sort() {
	for _, sources := range d {
		slices.SortFunc(sources, func(a, b *source) int {
			return cmp.Or(bytes.Compare(a.file[:], b.file[:]), cmp.Compare(a.position, b.position))
		})
	}
}

// digestOf returns the digest of the definitions against which the objects of a file are checked.
func (d definitions) digestOf(facts *fileFacts) digest {
	if !slices.ContainsFunc(facts.objects, func(o objectFacts) bool { return len(d[o.GroupKind()]) > 0 }) {
		return digest{}
	}
	hash := sha256.New()
	for i := range facts.objects {
		for _, s := range d[facts.objects[i].GroupKind()] {
			s.addTo(hash)
		}
	}
	return digest(hash.Sum(nil))
}

func (d definitions) digest() digest {
	kinds := slices.SortedFunc(maps.Keys(d), func(a, b schema.GroupKind) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind))
	})
	hash := sha256.New()
	for _, kind := range kinds {
		for _, s := range d[kind] {
			s.addTo(hash)
		}
	}
	return digest(hash.Sum(nil))
}

func (s *source) addTo(hash hash.Hash) {
	hash.Write(s.file[:])
	hash.Write(binary.AppendVarint(nil, int64(s.position)))
}

func (s *source) definition(c *check) *apiextensionsv1.CustomResourceDefinition {
	if s.profile != nil {
		spec, err := s.profile.Spec.Decode()
		if err != nil {
			return nil
		}
		definition := &apiextensionsv1.CustomResourceDefinition{Spec: *spec}
		definition.Name = s.profile.Name
		return definition
	}
	var found *apiextensionsv1.CustomResourceDefinition
	c.contentOf(s.cache, s.content, func(o *objectFacts, content *kustomize.Content) {
		if o.position == s.position && !hasVariable(content.Fields["spec"]) {
			found, _ = decodeDefinition(content.Fields) // nil if it cannot be decoded
		}
	})
	return found
}

// customType returns a version of the definition's kind, or nil if the definition is invalid or
// does not have that version.
func (c *check) customType(s *source, version string) *customType {
	m := c.Memory
	key := compiledKey{file: s.file, position: s.position, version: version, minor: c.minor.Version}
	m.mu.Lock()
	found, known := m.compiled.get(key)
	m.mu.Unlock()
	if known {
		return found
	}
	if definition := s.definition(c); definition != nil {
		found, _ = newCustomType(definition, version, c.minor) // nil if the definition is invalid
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compiled.put(key, found, 1, maxCompiled)
	return found
}

func profileSources(p *profile.Profile) []*source {
	if p == nil {
		return nil
	}
	sources := make([]*source, 0, len(p.Definitions))
	for i := range p.Definitions {
		definition := &p.Definitions[i]
		kind := definition.Defines()
		sources = append(sources, &source{
			definedKind: &definedKind{GroupKind: schema.GroupKind{Group: kind.Group, Kind: kind.Kind}, namespaced: kind.Namespaced, versions: kind.Versions},
			file:        definition.Spec.Digest(), profile: definition,
		})
	}
	return sources
}
