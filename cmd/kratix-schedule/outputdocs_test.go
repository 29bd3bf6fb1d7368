package main

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/listing"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func TestGeneratedOutput(t *testing.T) {
	var page strings.Builder
	page.WriteString("# JSON and YAML of get, history, explain, probe and rebalance\n\n" + generatedMark)
	page.WriteString("With `-o json` and `-o yaml`. The keys of both are the same. `schemaVersion` changes if programs that read a document have to be changed; new keys do\n" +
		"not change it. Keys marked with \"maybe\" are left out if they are empty. In all values invisible characters are escaped. `run --once`, `plan` and\n" +
		"`validate` write a report, as `/api/v1/report` does.\n")
	for _, document := range []struct {
		title, text string
		value       any
	}{
		{"get placements", listText("placements"), listing.Placement{}},
		{"get destinations", listText("destinations"), listing.Destination{}},
		{"get stores", listText("stores"), listing.Store{}},
		{"get conflicts", listText("conflicts"), listing.Conflict{}},
		{"history", "The revisions of a Work, for each state store.", historyDocument{}},
		{"rollout history", "The revisions of each Work that a Rollout selects.", rolloutHistoryDocument{}},
		{"history --diff", "The lines of each file are those of `git diff`, with the values of Secrets masked.", diffDocument{}},
		{"explain, explain RULE", "Rules.", rulesDocument{}},
		{"explain WORK", "Where a Work goes, and why.", explanationDocument{}},
		{"probe", "Whether the state stores can be written.", probeDocument{}},
		{"rebalance", "The moves, and with `--apply` whether they were made.", rebalanceDocument{}},
	} {
		fmt.Fprintf(&page, "\n## %s\n\n%s\n\n| Key | Type | |\n|---|---|---|\n", document.title, document.text)
		describeFields(&page, "", reflect.TypeOf(document.value))
	}
	checkFile(t, docs+"reference/output.md", page.String())
}

func listText(kind string) string {
	return "An object with `schemaVersion`, `kind: " + kind + "` and `items`; each item has these keys. With `--watch` each line (JSON) or document (YAML) is an\n" +
		"object with `type`, ADDED, MODIFIED or DELETED, and `object`, an item."
}

func describeFields(page *strings.Builder, prefix string, of reflect.Type) {
	for i := range of.NumField() {
		field := of.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == "" && field.Anonymous {
			describeFields(page, prefix, field.Type)
			continue
		}
		note := ""
		if strings.Contains(options, "omit") {
			note = "maybe"
		}
		kind, parts := typeText(field.Type)
		fmt.Fprintf(page, "| `%s%s` | %s | %s |\n", prefix, name, kind, note)
		if parts != nil {
			suffix := "."
			if kind == "list" {
				suffix = "[]."
			}
			describeFields(page, prefix+name+suffix, parts)
		}
	}
}

func typeText(of reflect.Type) (name string, parts reflect.Type) {
	switch {
	case of == reflect.TypeFor[time.Time]():
		return "time, RFC 3339", nil
	case of == reflect.TypeFor[tree.Path]():
		return "string", nil
	}
	switch of.Kind() {
	case reflect.Slice:
		if of.Elem().Kind() == reflect.Struct {
			return "list", of.Elem()
		}
		return "list of strings", nil
	case reflect.Map:
		return "map of strings", nil
	case reflect.Struct:
		return "object", of
	case reflect.Int:
		return "number", nil
	}
	return of.Kind().String(), nil
}
