package git_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

const byAnnotation = "example.com/requested-by"

func requested(action statestore.Action, work string, annotations ...string) statestore.PlacementChange {
	change := statestore.PlacementChange{
		Action: action, Work: "team-a/" + work, Destination: "worker-1", Promise: "redis", Resource: "team-a/" + work,
		Labels: map[string]string{"kratix.io/promise-name": "redis"}, Annotations: map[string]string{},
	}
	for i := 0; i < len(annotations); i += 2 {
		change.Annotations["example.com/"+annotations[i]] = annotations[i+1]
	}
	return change
}

type commitCase struct {
	name, template, author string
	trailers               []string
	placements             []statestore.PlacementChange
}

func commitCases() []commitCase {
	const place, update, remove = statestore.Place, statestore.Update, statestore.Remove
	alice, bob := []string{"requested-by", "Alice <alice@example.com>", "ticket", "OPS-1"}, []string{"requested-by", "bob", "ticket", "OPS-2"}
	one := []statestore.PlacementChange{requested(place, "one", alice...)}
	two := []statestore.PlacementChange{requested(update, "two", bob...), requested(place, "one", alice...)}
	gone := requested(remove, "gone")
	gone.Labels, gone.Annotations = nil, nil
	dependency := statestore.PlacementChange{Action: update, Work: "kratix-platform-system/redis-setup", Destination: "worker-1", Promise: "redis"}
	hostile := []statestore.PlacementChange{requested(place, "one",
		"requested-by", "Boss <boss@example.com>\ncommitter Boss <boss@example.com> 0 +0000",
		"ticket", "x\n\nSigned-off-by: Boss <boss@example.com>\x00\u202e\x1b[31m", "why", "---")}
	undone := requested(statestore.RollBack, "three")
	undone.Because = "revision 0123 could not be applied: ConfigMap/default/x dry-run failed: denied\nSigned-off-by: Boss <boss@example.com>"
	each := `{{range .Placements}}{{.Action}} {{.Work}} on {{.Destination}} for {{with .Resource}}{{.}}{{else}}Promise {{$.Store}}{{end}} of {{.Promise}} ({{.Label "kratix.io/promise-name"}}): {{.Annotation "example.com/ticket"}}
{{end}}`
	ticket := []string{`Ticket: {{.Annotation "example.com/ticket"}}`}
	return []commitCase{
		{"nothing is set", "", "", nil, two},
		{"author", "", byAnnotation, nil, one},
		{"two authors", "", byAnnotation, nil, two},
		{"author and a removal", "", byAnnotation, nil, append([]statestore.PlacementChange{gone}, one...)},
		{"no annotation", "", byAnnotation, ticket, []statestore.PlacementChange{dependency}},
		{"trailers", "", "", []string{ticket[0], "Resource:{{.Resource}}", "Change: {{.Action}} of {{.Promise}}"}, two},
		{"trailers without a value", "", "", []string{`Ticket: {{.Annotation "example.com/ticket"}}`, "Nothing:"}, []statestore.PlacementChange{gone}},
		{"one value of two placements", "", "", []string{"Promise: {{.Promise}}"}, two},
		{"template", "{{.Annotation \"example.com/ticket\"}}: {{.Subject}} of {{.Label \"kratix.io/promise-name\"}}\n\n" + each + "\n{{.Trailers}}", byAnnotation, ticket, append([]statestore.PlacementChange{gone, dependency}, two...)},
		{"template without trailers", "{{.Subject}}", byAnnotation, ticket, two},
		{"template with text after the trailers", "{{.Subject}}\n\n{{.Trailers}}\nThe end.", "", ticket, one},
		{"template without an empty line", "{{.Subject}}\n{{.Trailers}}", "", ticket, one},
		{"template that ends as a trailer does", "{{.Subject}}\n\n{{(index .Placements 0).Annotation \"example.com/ticket\"}}", "", []string{"Why: because"}, []statestore.PlacementChange{requested(place, "one", "ticket", "Signed-off-by: Boss <boss@example.com>")}},
		{"template that is empty", "{{range .Placements}}{{if .Promise}}{{else}}x{{end}}{{end}}{{if eq (len .Placements) 1}}{{with index .Placements 0}}{{if eq .Promise `example`}}x{{end}}{{end}}{{end}}", "", nil, one},
		{"template that fails", "{{slice (index .Placements 0).Work 0 13}}", "", nil, []statestore.PlacementChange{requested(place, "x")}},
		{"trailer that fails", "", "", []string{"Short: {{slice .Work 0 13}}"}, append([]statestore.PlacementChange{requested(place, "a-long-name")}, requested(place, "x"))},
		{"rolled back", "", "", nil, []statestore.PlacementChange{undone}},
		{"rolled back, and another one", "", byAnnotation, ticket, append([]statestore.PlacementChange{undone}, two...)},
		{"hostile values", "{{.Annotation \"example.com/ticket\"}}\n\n{{range .Placements}}{{.Annotation \"example.com/why\"}}\n{{end}}\n{{.Trailers}}", byAnnotation, ticket, hostile},
	}
}

// TestCommitsOfRequests compares commits with a golden file.
func TestCommitsOfRequests(t *testing.T) {
	golden := filepath.Join("testdata", "commits.txt")
	var all strings.Builder
	for i, c := range commitCases() {
		repository := gittest.Bare(t)
		var notices []string
		config := git.Config{
			URL: repository, AuthorAnnotation: c.author, Owner: "site-a", Author: git.Author{Name: "kratix", Email: "kratix@example.com"},
			Notify: func(message string) { notices = append(notices, message) },
		}
		var err error
		if c.template != "" {
			if config.Message, err = git.ParseMessage(c.template); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		if config.Trailers, err = git.ParseTrailers(c.trailers); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		store := open(t, config)
		for round := range 2 { // each notice must be sent once
			state, err := store.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			changes := statestore.ChangeSet{Base: state.Revision, Write: testkit.Files(map[string]string{"a": fmt.Sprint(i, round)}), Placements: c.placements}
			if _, err := store.Apply(t.Context(), changes); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
		}
		gittest.Fsck(t, repository)
		message := gittest.Git(t, repository, "log", "-1", "--format=%B", "main")
		file := filepath.Join(t.TempDir(), "message")
		if err := os.WriteFile(file, []byte(message), 0o600); err != nil {
			t.Fatal(err)
		}
		parsed := gittest.Git(t, repository, "interpret-trailers", "--parse", file)
		fmt.Fprintf(&all, "# %s\n%s\n%s\n-- trailers --\n%s\n", c.name,
			gittest.Git(t, repository, "log", "-1", "--format=author %an <%ae>%ncommitter %cn <%ce>", "main"), strings.TrimRight(message, "\n"), parsed)
		for _, notice := range notices {
			fmt.Fprintf(&all, "notice: %s\n", notice)
		}
		all.WriteString("\n")
	}
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := all.String(); got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestTrailersThatCannotWorkAreRefused(t *testing.T) {
	for text, why := range map[string]string{
		"Ticket":                   "Key: template",
		"Tick et: x":               "Key: template",
		": x":                      "Key: template",
		"-Ticket: x":               "Key: template",
		"Kratix-Work: x":           "the program's own",
		"kratix-schedule-owner: x": "the program's own",
		"Ticket: {{.Subject}}":     "can't evaluate field Subject",
		"Ticket: {{":               "unclosed action",
	} {
		if _, err := git.ParseTrailers([]string{text}); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v, want %q", text, err, why)
		}
	}
}
