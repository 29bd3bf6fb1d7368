package applycheck

import (
	structural "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/kube-openapi/pkg/schemaconv"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	"github.com/kratix-schedule/kratix-schedule/applycheck/schemas"
)

const customName = "custom"

// customTypeSchema returns the server-side-apply type of a custom resource, with apiVersion, kind
// and metadata.
func customTypeSchema(s *structural.Structural, preserveUnknown bool, minor *schemas.Minor) (typed.ParseableType, error) {
	published := s.Unfold().ToKubeOpenAPI()
	addObjectFields(published)
	addEmbedded(published)
	converted, err := schemaconv.ToSchemaFromOpenAPI(map[string]*spec.Schema{customName: published}, preserveUnknown)
	if err != nil {
		return typed.ParseableType{}, err
	}
	parser := typed.Parser{}
	parser.Schema.Types = withMetaTypes(converted.Types, minor).Types
	return parser.Type(customName), nil
}

func addObjectFields(s *spec.Schema) {
	s.SetProperty("apiVersion", *spec.StringProperty())
	s.SetProperty("kind", *spec.StringProperty())
	s.SetProperty("metadata", *spec.RefSchema("#/components/schemas/" + metaTypes()[0]))
}

func addEmbedded(s *spec.Schema) {
	if s == nil {
		return
	}
	for name, property := range s.Properties {
		addEmbedded(&property)
		s.Properties[name] = property
	}
	if s.Items != nil {
		addEmbedded(s.Items.Schema)
	}
	if s.AdditionalProperties != nil {
		addEmbedded(s.AdditionalProperties.Schema)
	}
	if embedded, ok := s.Extensions.GetBool("x-kubernetes-embedded-resource"); ok && embedded {
		addObjectFields(s)
	}
}
