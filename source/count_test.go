package source_test

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/source"
)

func TestCountObjects(t *testing.T) {
	const object = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
	for name, tt := range map[string]struct {
		file, content string
		want          int
	}{
		"one":                      {"a.yaml", object, 1},
		"several documents":        {"a.yml", object + "---\n" + object + "--- # the last\n" + object, 3},
		"comments alone":           {"a.yaml", "# nothing\n---\n# here\n", 0},
		"an empty file":            {"a.yaml", "", 0},
		"the items of a List":      {"a.yaml", "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap}\n- {apiVersion: v1, kind: Secret}\n", 2},
		"a List without items":     {"a.yaml", "apiVersion: v1\nkind: List\nitems: []\n", 0},
		"a kind that ends in List": {"a.yaml", "apiVersion: example.org/v1\nkind: AllowList\nmetadata: {name: a}\n", 1},
		"no manifest by its name":  {"notes.txt", object, 0},
		"malformed":                {"a.yaml", "a: b: c # List\n", 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := source.CountObjects(tt.file, []byte(tt.content)); got != tt.want {
				t.Errorf("CountObjects: %d, want %d", got, tt.want)
			}
		})
	}
}
