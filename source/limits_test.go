package source

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
)

func TestDocumentsOfTooManyValuesAreNotParsed(t *testing.T) {
	const destination = "\n---\napiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: d}\nspec: {stateStoreRef: {kind: GitStateStore, name: default}}\n"
	for name, text := range map[string]string{
		"empty lists": "apiVersion: v1\nkind: X\nl: [" + strings.Repeat("[],", maxValues) + "]",
		"dashes":      strings.Repeat("- - - -\n", maxValues/2),
		"brackets":    strings.Repeat("[", 2*maxValues),
		"maps":        "{" + strings.Repeat("a: b, ", maxValues),
	} {
		t.Run(name, func(t *testing.T) {
			parsed := Parse(0, File{Name: "x.yaml", Content: []byte(text + destination)})
			if len(parsed.claims) != 1 || len(parsed.findings) != 1 || !parsed.incomplete {
				t.Fatalf("%d objects, findings %v", len(parsed.claims), parsed.findings)
			}
			if f := parsed.findings[0]; f.Rule != finding.UnreadableInput() || !strings.Contains(f.Message, "more than is read") || f.Place.Line != 1 {
				t.Errorf("got %+v", f)
			}
		})
	}
}

func TestFindingsAboutManyDocumentsAreLimited(t *testing.T) {
	const destination = "apiVersion: platform.kratix.io/v1alpha1\nkind: Destination\nmetadata: {name: d}\nspec: {stateStoreRef: {kind: GitStateStore, name: default}}\n"
	for name, document := range map[string]string{"no objects": "a: b\n---\n", "of others": "{apiVersion: v1, kind: A}\n---\n"} {
		t.Run(name, func(t *testing.T) {
			parsed := Parse(0, File{Name: "x.yaml", Content: []byte(strings.Repeat(document, maxNameless+7) + destination)})
			if len(parsed.claims) != 1 || len(parsed.findings) != maxNameless+1 {
				t.Fatalf("%d objects, %d findings", len(parsed.claims), len(parsed.findings))
			}
			last := parsed.findings[maxNameless]
			if last.Rule != finding.UnreadableInput() || !strings.HasPrefix(last.Message, "7 more documents ") || last.Place.File != "x.yaml" {
				t.Errorf("got %+v", last)
			}
		})
	}
}
