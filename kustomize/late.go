package kustomize

import (
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/resid"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// withoutReferences returns a patch that removes the fields in which kustomize resolves references.
func withoutReferences() types.Patch {
	return types.Patch{
		Target: &types.Selector{ResId: resid.ResId{Gvk: resid.Gvk{Kind: strings.Join(referringKinds, "|")}}},
		Patch: `{"apiVersion":"any/v1","kind":"Any","metadata":{"name":"any"},"imagePullSecrets":null,"parameters":null,` +
			`"roleRef":null,"rules":null,"spec":null,"subjects":null,"template":null,"webhooks":null}`,
	}
}

// withoutVariables removes the variables from all kustomizations.
func (l Lazy) withoutVariables(files []tree.File) []tree.File {
	files = slices.Clone(files)
	for i, file := range files {
		if !IsKustomization(file.Path) {
			continue
		}
		var k types.Kustomization
		if k.Unmarshal(l.fetched(file).Content) != nil || len(k.Vars) == 0 { //nolint:staticcheck // deprecated, but Flux builds it
			continue
		}
		k.Vars = nil //nolint:staticcheck // as above
		if k.MetaData == nil {
			k.MetaData = &types.ObjectMeta{} // kustomize rejects empty metadata
		}
		if content, err := yaml.Marshal(k); err == nil {
			files[i].Content = content
		}
	}
	return files
}
