package layout

import (
	"math/rand/v2"
	"testing"

	yamlv2 "go.yaml.in/yaml/v2"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// compareWithLibrary reports whether appendRecord writes a record, and fails the test if the library
// writes other bytes.
func compareWithLibrary(t *testing.T, r record) bool {
	t.Helper()
	got, ok := appendRecord(nil, &r)
	if !ok {
		return false
	}
	want, err := yamlv2.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Fatalf("got\n%s\nwant\n%s", got, want)
	}
	return true
}

func TestAppendedRecordsAgreeWithTheLibrary(t *testing.T) {
	placement := testkit.Placement(testkit.Request("db"), "worker-1")
	for name, rendering := range map[string]Rendering{
		"no files": {}, "an owner": {Files: []File{{File: testkit.FileList("a/b.yaml", "x")[0]}}, Owner: "prod-1"},
		"a joined file": {Files: []File{{File: testkit.FileList("a/b.yaml", "x")[0]}}, Joined: true},
	} {
		if !compareWithLibrary(t, recordOf(placement, rendering)) {
			t.Errorf("%s: not appended", name)
		}
	}
	words := []string{"db", "worker-1", "true", "false", "y", "No", "null", "1", "1e3", "0x1f", "5058f1af", "2026-01-02", "a b", "a: b", "-a", ".a", "/a", "_a", "a_b", "A", "a.b/c-d", "ab1", "ab10", "ab2", "", "é", "a\nb", "0b", "9d", "infinity"}
	rng := rand.New(rand.NewPCG(1, 1))
	word := func() string {
		switch rng.IntN(6) {
		case 0, 1, 2:
			return "db"
		case 3:
			return words[rng.IntN(len(words))]
		}
		letters := []byte("abzAZ.-/_019ex")
		text := make([]byte, 1+rng.IntN(5))
		for i := range text {
			text[i] = letters[rng.IntN(len(letters))]
		}
		return string(text)
	}
	texts := func() map[string]string {
		all := map[string]string{}
		for range rng.IntN(4) {
			all[word()] = word()
		}
		return all
	}
	appended := 0
	for range 50_000 {
		r := record{APIVersion: "platform.kratix.io/v1alpha1", Kind: "WorkPlacement", Files: []tree.Path{}}
		r.Metadata = recordMetadata{Annotations: texts(), Labels: texts(), Name: word(), Namespace: word()}
		r.Spec = recordSpec{ID: word(), PromiseName: word(), TargetDestinationName: word()}
		if path, err := tree.ParsePath(word()); err == nil {
			r.Files = append(r.Files, path)
		}
		if compareWithLibrary(t, r) {
			appended++
		}
	}
	if appended < 500 {
		t.Errorf("only %d records were appended", appended)
	}
}
