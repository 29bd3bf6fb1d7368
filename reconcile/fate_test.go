package reconcile

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestPlacementWithRepeatedFieldIsQuarantined(t *testing.T) {
	const twice = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: '1'\n  x: '2'\n"
	w := newEnv(t)
	w.putFiles("a", map[string]string{"map.yaml": twice, "notes.txt": twice})
	w.put("b", "b")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.HeldBack, "b": report.Placed}, "KS007")
	f := result.Findings[0]
	if f.Place.Object != "Work default/a" || f.Place.File != "map.yaml" || f.Place.Line != 6 ||
		!strings.Contains(f.Message, `a: the field "x" is defined twice, on line 5 and on line 6`) || !strings.Contains(f.Flux, `mapping key "x" already defined`) {
		t.Errorf("it says %s: %s, %s", f.Place, f.Message, f.Flux)
	}
	w.expect(w.round(), map[string]report.State{"a": report.HeldBack, "b": report.Unchanged}, "KS007")
	w.putFiles("a", map[string]string{"map.yaml": strings.Replace(twice, "  x: '2'\n", "", 1)})
	w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Unchanged})
}

func TestPlacementThatFluxCannotWriteOutIsQuarantined(t *testing.T) {
	for name, content := range map[string]string{
		"an integer key": testkit.ConfigMaps("a") + "data: {8080: a}\n",
		"a template":     testkit.ConfigMaps("a") + "data: {a: {{ b }}}\n",
		"no apiVersion":  "kind: ConfigMap\nmetadata: {name: a}\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			w.put("a", "a")
			w.put("b", "b")
			w.round()
			w.putFiles("a", map[string]string{"maps.yaml": content})
			result := w.round()
			w.expect(result, map[string]report.State{"a": report.HeldBack, "b": report.Unchanged}, "KS018")
			if result.Findings[0].Flux == "" {
				t.Error("Flux is not quoted")
			}
			if got := w.content("worker-1/resources/default/redis/a/5058f/maps.yaml"); got != testkit.ConfigMaps("a") {
				t.Errorf("the store has %q", got)
			}
			w.policy.OnConflict = dedupe.Report
			w.expect(w.round(), map[string]report.State{"a": report.Placed, "b": report.Unchanged}, "KS018")
		})
	}
}

func TestForeignFileThatFluxCannotWriteOutIsNamed(t *testing.T) {
	w := newEnv(t)
	w.put("a", "a")
	w.round()
	foreign := testkit.Files(map[string]string{
		"worker-1/resources/tcp.yaml": testkit.ConfigMaps("tcp") + "data: {8080: a}\n", "worker-1/resources/beat.yaml": testkit.ConfigMaps("beat") + "x: {a: 1, a: 2}\n",
		"worker-1/resources/year.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 2024}\n",
	})
	if _, err := w.store.Apply(t.Context(), statestore.ChangeSet{Base: w.state().Revision, Write: foreign}); err != nil {
		t.Fatal(err)
	}
	w.put("b", "b")
	result := w.round()
	w.expect(result, map[string]report.State{"a": report.Unchanged, "b": report.Placed}, "KS007", "KS018", "KS017")
	for i, file := range []string{"beat.yaml", "tcp.yaml", "year.yaml"} {
		if f := result.Findings[i]; !strings.HasSuffix(f.Place.File, file) || i < 2 && !strings.Contains(f.Fix, ".sourceignore") {
			t.Errorf("finding %d names %s, want %s: %s", i, f.Place, file, f.Fix)
		}
	}
}

func TestPlacementWithoutAppliedObjectsIsReportedAndWritten(t *testing.T) {
	const numeric = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 2024}\n"
	const nothing = "Flux would apply nothing of this placement"
	for name, c := range map[string]struct {
		files map[string]string
		rules []string
		says  bool
	}{
		"a numeric name":               {map[string]string{"a.yaml": numeric}, []string{"KS017", "KS017"}, true},
		"a numeric name among others":  {map[string]string{"a.yaml": numeric + "---\n" + testkit.ConfigMaps("a")}, []string{"KS017"}, false},
		"JSON":                         {map[string]string{"a.json": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}`}, []string{"KS017", "KS017"}, true},
		"an ending in upper case":      {map[string]string{"a.YAML": testkit.ConfigMaps("a")}, []string{"KS017", "KS017"}, true},
		"no ending":                    {map[string]string{"manifest": testkit.ConfigMaps("a")}, []string{"KS017", "KS017"}, true},
		"no ending, beside an object":  {map[string]string{"manifest": testkit.ConfigMaps("a"), "b.yaml": testkit.ConfigMaps("b")}, []string{"KS017"}, false},
		"files that are no objects":    {map[string]string{"package.json": "{}", "LICENSE": "kind regards", "notes.txt": testkit.ConfigMaps("a")}, nil, false},
		"a numeric label, and nothing": {map[string]string{"a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, labels: {a: 1}}\n"}, []string{"KS017"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			w.putFiles("a", c.files)
			for _, state := range []report.State{report.Placed, report.Unchanged} {
				result := w.round()
				w.expect(result, map[string]report.State{"a": state}, c.rules...)
				says := false
				for _, f := range result.Findings {
					says = says || f.Message == nothing && f.Place.Object == "Work default/a"
				}
				if says != c.says {
					t.Errorf("it says %v", result.Findings)
				}
			}
		})
	}
}

func TestFindingsOfNewPlacementsOnUnchangedDestination(t *testing.T) {
	w := newEnv(t)
	w.put("a", "a")
	w.round()
	w.round()
	w.putFiles("b", map[string]string{"b.json": `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "b"}}`})
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Placed}, "KS017", "KS017")
	w.putFiles("c", map[string]string{"c.yaml": testkit.ConfigMaps("c") + "x: .nan\n"})
	w.expect(w.round(), map[string]report.State{"a": report.Unchanged, "b": report.Unchanged, "c": report.HeldBack}, "KS018", "KS017", "KS017")
}
