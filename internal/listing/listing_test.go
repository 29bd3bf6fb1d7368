package listing_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func reportWith(n int) *bytes.Buffer {
	var text bytes.Buffer
	text.WriteString(`{"schemaVersion":1,"tool":"kratix-schedule","placements":[`)
	for i := range n {
		if i > 0 {
			text.WriteString(",")
		}
		fmt.Fprintf(&text, `{"work":"team-%d/some-request-with-a-long-name-%06d","directory":".","destination":"worker-%d","state":"unchanged","reason":"it is there already","promise":"redis","resource":"some-request"}`, i%50, i, i%10)
	}
	text.WriteString(`]}`)
	return &text
}

func TestManyPlacementsTakeLittleMemory(t *testing.T) {
	const n = 100_000
	text := reportWith(n)
	for _, format := range append(listing.Formats(), listing.Table) {
		if format == listing.YAML {
			continue // this format is for programs, and takes several seconds
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		rows := printAll(t, text.Bytes(), format)
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; rows != n || allocated > 500<<20 {
			t.Errorf("%q: %d rows, %d MiB allocated", format, rows, allocated>>20)
		}
	}
}

func printAll(t testing.TB, text []byte, format listing.Format) int {
	t.Helper()
	list, err := listing.DecodeReport(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	rows, _ := listing.Filter{}.Select(list.Items(listing.Placements))
	if err := listing.Print(io.Discard, listing.Placements, rows, listing.Style{Format: format}); err != nil {
		t.Fatal(err)
	}
	return len(rows)
}

func BenchmarkPlacements(b *testing.B) {
	text := reportWith(100_000).Bytes()
	b.Run("maps", func(b *testing.B) {
		for b.Loop() {
			var all map[string]any
			if err := json.Unmarshal(text, &all); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, format := range append(listing.Formats(), listing.Table) {
		b.Run("format="+string(format), func(b *testing.B) {
			for b.Loop() {
				printAll(b, text, format)
			}
		})
	}
}

func TestInvalidReportsAreErrors(t *testing.T) {
	const head = `{"schemaVersion":1,"tool":"kratix-schedule",`
	for text, want := range map[string]string{
		"":                            "it is not the report of a daemon",
		"[]":                          "it is not the report of a daemon",
		"{}":                          "it is not the report of a daemon",
		`{"tool":"other"}`:            "it is not the report of a daemon",
		head + `"placements":{}}`:     "it is not the report of a daemon",
		head + `"placements":[1]}`:    "it is not the report of a daemon",
		head + `"placements":[{}`:     "it is not the report of a daemon",
		head + `"other":[{"a":[1,{}]`: "it is not the report of a daemon",
		`{"schemaVersion":"1"}`:       "it is not the report of a daemon",
		`{"schemaVersion":3}`:         "its report has the schema 3, and this program reads 1: use the version of the daemon",
		head + `"placements":[{"work":"` + strings.Repeat("x", 9<<20) + `"}]}`: "it has a value of more than 8 MiB",
		head + `"other":["` + strings.Repeat("x", 9<<20) + `"]}`:               "it has a value of more than 8 MiB",
	} {
		if _, err := listing.DecodeReport(strings.NewReader(text)); err == nil || err.Error() != want {
			t.Errorf("%.60s: %v, want %s", text, err, want)
		}
	}
	failed := errors.New("the connection was closed")
	if _, err := listing.DecodeReport(io.MultiReader(strings.NewReader(head+`"placements":[`), broken{failed})); !errors.Is(err, failed) {
		t.Error(err)
	}
}

type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }

type endless struct{ begun bool }

func (e *endless) Read(p []byte) (int, error) {
	if !e.begun {
		e.begun = true
		return copy(p, `{"schemaVersion":1,"tool":"kratix-schedule","placements":[{}`), nil
	}
	n := 0
	for ; n+3 <= len(p); n += 3 {
		copy(p[n:], ",{}")
	}
	return n, nil
}

func TestRowsAreBounded(t *testing.T) {
	if _, err := listing.DecodeReport(&endless{}); err == nil || err.Error() != "it has more than 1000000 placements" {
		t.Error(err)
	}
}

func TestListsOfObjectsAreRead(t *testing.T) {
	var got []string
	next, err := listing.DecodeList(strings.NewReader(`{"items":[{"metadata":{"name":"a"},"spec":{"workloads":[{"content":"x"}]}},{}],"metadata":{"continue":"more"}}`), "Work",
		func(o listing.Object) { got = append(got, o.Kind+" "+o.Metadata.Name) })
	if err != nil || next != "more" || strings.Join(got, ",") != "Work a,Work " {
		t.Errorf("%q %q %v", next, got, err)
	}
	for _, text := range []string{"", "[]", "{}", `{"items":{}}`, `{"items":[`} {
		if _, err := listing.DecodeList(strings.NewReader(text), "Work", func(listing.Object) {}); err == nil || err.Error() != "the API server's answer is not a list of objects" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func placements(states ...string) []listing.Item {
	var list listing.Listing
	for i, state := range states {
		if state != "" {
			list.Placements = append(list.Placements, listing.Placement{Namespace: "n", Work: string(rune('a' + i)), Group: ".", Destination: "d", State: state})
		}
	}
	return list.Items(listing.Placements)
}

func TestWatcherPrintsChanges(t *testing.T) {
	for format, want := range map[listing.Format]string{
		listing.Table: "NAMESPACE   WORK   GROUP   DESTINATION   STATE\nn           a      .       d             placed\nn           b      .       d             placed\n" +
			"n           a      .       d             unchanged\nn           c      .       d             placed\nn           b      .       d             deleted\n",
		listing.Name: "n/a\nn/b\nn/a\nn/c\nn/b\n",
		listing.JSON: `{"type":"ADDED","object":{"namespace":"n","work":"a","group":".","destination":"d","state":"placed"}}
{"type":"ADDED","object":{"namespace":"n","work":"b","group":".","destination":"d","state":"placed"}}
{"type":"MODIFIED","object":{"namespace":"n","work":"a","group":".","destination":"d","state":"unchanged"}}
{"type":"ADDED","object":{"namespace":"n","work":"c","group":".","destination":"d","state":"placed"}}
{"type":"DELETED","object":{"namespace":"n","work":"b","group":".","destination":"d","state":"deleted"}}
`,
	} {
		watcher := listing.NewWatcher(listing.Placements, listing.Style{Format: format})
		var out bytes.Buffer
		for i, step := range []struct {
			rows  []listing.Item
			count int
		}{{placements("placed", "placed"), 2}, {placements("placed", "placed"), 0}, {placements("unchanged", "", "placed"), 3}} {
			if n, err := watcher.Print(&out, step.rows); err != nil || n != step.count {
				t.Errorf("step %d: %d rows, %v", i, n, err)
			}
		}
		if out.String() != want {
			t.Errorf("%q:\n%s\nwant\n%s", format, &out, want)
		}
	}
}

func TestFiltersOfUnknownFactsAreErrors(t *testing.T) {
	list, err := listing.DecodeReport(reportWith(1))
	if err != nil {
		t.Fatal(err)
	}
	selector, err := labels.Parse("a=b")
	if err != nil {
		t.Fatal(err)
	}
	var lacks *listing.LackError
	if err := list.Check(listing.Placements, listing.Filter{Selector: selector}); !errors.As(err, &lacks) || lacks.Fact != listing.Labels {
		t.Error(err)
	}
	if err := list.Check(listing.Placements, listing.Filter{Promise: "redis"}); err != nil {
		t.Error(err)
	}
}

func TestHostileTextIsEscapedInEveryFormat(t *testing.T) {
	const text = "a\x1b[31m\u202e\n::error::b\x00"
	list := listing.Listing{
		Placements:   []listing.Placement{{Namespace: text, Work: text, Group: text, Destination: text, State: text, Reason: text, Labels: map[string]string{text: text}}},
		Destinations: []listing.Destination{{DestinationName: text, State: text, Labels: map[string]string{text: text}}},
		Stores:       []listing.Store{{StoreName: text, Kind: text, URL: text, Reason: text}},
		Conflicts:    []listing.Conflict{{Rule: text, Object: text, With: []string{text}, Message: text}},
	}
	for _, kind := range listing.Kinds() {
		for _, format := range append(listing.Formats(), listing.Table) {
			rows := list.Items(kind)
			var out bytes.Buffer
			if err := listing.Print(&out, kind, rows, listing.Style{Format: format}); err != nil {
				t.Fatal(err)
			}
			if _, err := listing.NewWatcher(kind, listing.Style{Format: format}).Print(&out, rows); err != nil {
				t.Fatal(err)
			}
			if printable.Lines(out.String()) != out.String() {
				t.Errorf("%s %q: %q", kind, format, &out)
			}
		}
	}
}

func TestRecordsOfEveryLayoutAreRead(t *testing.T) {
	store := memory.New("memory")
	const record = "apiVersion: platform.kratix.io/v1alpha1\nkind: WorkPlacement\nmetadata: {name: x, namespace: team, labels: {kratix.io/work: %s}}\nspec: {targetDestinationName: %s, promiseName: p, id: '%s'}\nfiles: []\n"
	storetest.Write(t, store, map[string]string{
		"a/.kratix/00.kratix/n-one.a-5058f.0000.yaml": fmt.Sprintf(record, "one", "a", "5058f1af8388633f609cadb75a75dc9d"),
		"b/.kratix/n-two.b-00000.yaml":                fmt.Sprintf(record, "two", "b", "0000011111"),
		"c/.kratix/n-three.c-5058f.yaml":              "files: [x.yaml]\n",
		"c/.kratix/foreign.yaml":                      "a: b\n",
		"c/x.yaml":                                    "a: b\n",
	})
	list, foreign, err := listing.FromRecords(t.Context(), storetest.Read(t, store), listing.Store{Kind: "GitStateStore", StoreName: "s"})
	if err != nil || strings.Join(foreign, " ") != "c/.kratix/foreign.yaml" {
		t.Errorf("%q, %v", foreign, err)
	}
	var out bytes.Buffer
	for _, kind := range []listing.Kind{listing.Placements, listing.Destinations} {
		if err := listing.Print(&out, kind, list.Items(kind), listing.Style{}); err != nil {
			t.Fatal(err)
		}
	}
	const want = `NAMESPACE   WORK              GROUP   DESTINATION   STATE
<none>      n-three.c-5058f   .       <none>        recorded
team        one               .       a             recorded
team        two               00000   b             recorded
NAME   STATE      PLACEMENTS   HELD BACK   STORE
a      recorded   1            0           GitStateStore s
b      recorded   1            0           GitStateStore s
`
	if out.String() != want {
		t.Errorf("%s", &out)
	}
}
