package profile

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"unique"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Definition is a CustomResourceDefinition of a cluster.
type Definition struct {
	Name string         `json:"name"`
	Spec DefinitionSpec `json:"spec"`
	kind DefinedKind
}

// DefinedKind is the kind that a CustomResourceDefinition defines.
type DefinedKind struct {
	Group, Kind string
	Namespaced  bool
	// Versions are the served versions.
	Versions []string
}

// Defines returns the kind that the definition defines.
func (d *Definition) Defines() DefinedKind { return d.kind }

// NewDefinition returns a definition without descriptions and other fields that the check of an
// object does not need. It returns an error if the definition is incomplete.
func NewDefinition(definition *apiextensionsv1.CustomResourceDefinition) (Definition, error) {
	spec := definition.Spec.DeepCopy()
	slim(spec)
	text, err := json.Marshal(spec)
	if err != nil {
		return Definition{}, err
	}
	d := Definition{Name: definition.Name}
	if err := d.Spec.UnmarshalJSON(text); err != nil {
		return Definition{}, err
	}
	return d, d.parse()
}

// parse sets the kind that the specification defines. It returns an error if the specification is
// incomplete.
func (d *Definition) parse() error {
	spec, err := d.Spec.Decode()
	switch {
	case err != nil:
		return err
	case d.Name == "":
		return errors.New("name is missing")
	case spec.Group == "" || spec.Names.Kind == "":
		return errors.New("spec.group or spec.names.kind is missing")
	case len(spec.Versions) == 0:
		return errors.New("spec.versions is missing")
	}
	d.kind = DefinedKind{Group: spec.Group, Kind: spec.Names.Kind, Namespaced: spec.Scope == apiextensionsv1.NamespaceScoped}
	for i := range spec.Versions {
		if spec.Versions[i].Served {
			d.kind.Versions = append(d.kind.Versions, spec.Versions[i].Name)
		}
	}
	return nil
}

// DefinitionSpec is the specification of a CustomResourceDefinition as JSON. Equal specifications
// share their memory.
type DefinitionSpec struct{ shared unique.Handle[specText] }

type specText struct {
	text   string
	digest [sha256.Size]byte
}

// Decode decodes the specification.
func (s DefinitionSpec) Decode() (*apiextensionsv1.CustomResourceDefinitionSpec, error) {
	if s == (DefinitionSpec{}) {
		return nil, errors.New("spec is missing")
	}
	spec := &apiextensionsv1.CustomResourceDefinitionSpec{}
	err := json.Unmarshal([]byte(s.shared.Value().text), spec)
	return spec, err
}

// Size returns the size of the specification as JSON, in bytes.
func (s DefinitionSpec) Size() int {
	if s == (DefinitionSpec{}) {
		return 0
	}
	return len(s.shared.Value().text)
}

// Digest returns the digest of the specification.
func (s DefinitionSpec) Digest() [sha256.Size]byte {
	if s == (DefinitionSpec{}) {
		return [sha256.Size]byte{}
	}
	return s.shared.Value().digest
}

// MarshalJSON returns the JSON of the specification.
func (s DefinitionSpec) MarshalJSON() ([]byte, error) {
	if s == (DefinitionSpec{}) {
		return []byte("null"), nil
	}
	return []byte(s.shared.Value().text), nil
}

// UnmarshalJSON sets the specification to a JSON value.
func (s *DefinitionSpec) UnmarshalJSON(text []byte) error {
	text, err := canonical(text)
	if err != nil {
		return err
	}
	s.shared = unique.Make(specText{text: string(text), digest: sha256.Sum256(text)})
	return nil
}

func slim(spec *apiextensionsv1.CustomResourceDefinitionSpec) {
	spec.Conversion = nil
	spec.Names.ShortNames, spec.Names.Categories = nil, nil
	for i := range spec.Versions {
		v := &spec.Versions[i]
		v.AdditionalPrinterColumns, v.SelectableFields, v.DeprecationWarning = nil, nil, nil
		if v.Schema != nil {
			slimSchema(v.Schema.OpenAPIV3Schema)
		}
	}
}

func slimSchema(s *apiextensionsv1.JSONSchemaProps) {
	if s == nil {
		return
	}
	s.Description, s.Title, s.Example, s.ExternalDocs = "", "", nil, nil
	for _, parts := range []map[string]apiextensionsv1.JSONSchemaProps{s.Properties, s.PatternProperties, s.Definitions} {
		for name, part := range parts {
			slimSchema(&part)
			parts[name] = part
		}
	}
	for _, parts := range [][]apiextensionsv1.JSONSchemaProps{s.AllOf, s.AnyOf, s.OneOf} {
		for i := range parts {
			slimSchema(&parts[i])
		}
	}
	slimSchema(s.Not)
	if s.Items != nil {
		slimSchema(s.Items.Schema)
		for i := range s.Items.JSONSchemas {
			slimSchema(&s.Items.JSONSchemas[i])
		}
	}
	for _, more := range []*apiextensionsv1.JSONSchemaPropsOrBool{s.AdditionalProperties, s.AdditionalItems} {
		if more != nil {
			slimSchema(more.Schema)
		}
	}
}
