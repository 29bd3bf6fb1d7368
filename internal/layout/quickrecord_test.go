package layout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func recordContent(t testing.TB, rendering Rendering) string {
	t.Helper()
	placement := testkit.Placement(testkit.Request("db"), "worker-1")
	record, err := NewRecord(testkit.Destination("worker-1"), placement, rendering)
	if err != nil {
		t.Fatal(err)
	}
	return string(record.Content)
}

// compareWithParser reports whether quickRecord returns a record, and fails the test if parseRecord
// returns another record.
func compareWithParser(t *testing.T, content string) bool {
	t.Helper()
	quick, ok := quickRecord(content)
	if !ok {
		return false
	}
	want, err := parseRecord([]byte(content))
	if err != nil {
		t.Errorf("%q: %v, but a quick record", content, err)
		return true
	}
	if diff := cmp.Diff(want, quick, cmp.Comparer(func(a, b tree.Path) bool { return a == b })); diff != "" {
		t.Errorf("%q:\n%s", content, diff)
	}
	return true
}

func TestUsualRecordsAreQuick(t *testing.T) {
	files := []File{{File: testkit.FileList("worker-1/resources/default/redis/db/5058f/a.yaml", "x")[0]}}
	for name, rendering := range map[string]Rendering{"files": {Files: files}, "an owner": {Files: files, Owner: "prod-1"}} {
		if !compareWithParser(t, recordContent(t, rendering)) {
			t.Errorf("%s: not quick:\n%s", name, recordContent(t, rendering))
		}
	}
}

func TestQuickRecordsAgreeWithTheParser(t *testing.T) {
	usual := recordContent(t, Rendering{Files: []File{{File: testkit.FileList("a.yaml", "x")[0]}}})
	values := []string{
		"y", "No", "null", "~", "1", "1e3", "0x1f", "0o17", "0b1", "1_000", "12:30", "2026-01-02", "5058f1af", "1.5", "-1", ".inf", ".nan", "inf", "a b", "a #b", "a: b", "[a]", "{a: b}",
		`"a"`, `'a'`, `"1"`, `'y'`, `""`, `"a\tb"`, "&a b", "*a", "!!str 1", "|", ">", "a\n    b", "- a", "%a", "@a", "`a", "", " ", "é", "a\tb", "a\r", "a/b", "../a", "/a", "a//b", "a.", "0", "00", "0a", "9d", "1e5f", "0.1e",
	}
	for _, value := range values {
		for _, key := range []string{"  name: ", "  namespace: ", "  id: ", "    kratix.io/work: ", "- ", "kind: ", "  promiseName: ", "apiVersion: "} {
			at := strings.Index(usual, "\n"+key)
			if key == "apiVersion: " {
				at = -1
			}
			end := at + 1 + strings.Index(usual[at+1:], "\n")
			compareWithParser(t, usual[:at+1]+key+value+usual[end:])
			compareWithParser(t, usual[:at+1]+strings.TrimSuffix(key, ": ")+value+": a"+usual[end:])
		}
	}
	lines := strings.SplitAfter(usual, "\n")
	for i := range lines {
		compareWithParser(t, strings.Join(lines[:i], "")+strings.Join(lines[min(i+1, len(lines)):], "")) // a line is missing
		compareWithParser(t, strings.Join(lines[:i+1], "")+strings.Join(lines[i:], ""))                  // a line is twice
		compareWithParser(t, strings.Join(lines[:i], "")+"  "+strings.Join(lines[i:], ""))               // a line is deeper
		compareWithParser(t, strings.Join(lines[:i], "")+"---\n"+strings.Join(lines[i:], ""))
		compareWithParser(t, strings.Join(lines[:i], ""))
	}
}

func FuzzQuickRecordsAgreeWithTheParser(f *testing.F) {
	f.Add(recordContent(f, Rendering{Files: []File{{File: testkit.FileList("a.yaml", "x")[0]}}}))
	f.Fuzz(func(t *testing.T, content string) { compareWithParser(t, content) })
}
