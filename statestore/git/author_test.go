package git

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestParseAuthor(t *testing.T) {
	for text, want := range map[string]Author{
		"Alice Doe <alice@example.com>":         {"Alice Doe", "alice@example.com"},
		"  Alice   <alice@example.com> ":        {"Alice", "alice@example.com"},
		`"Doe, Alice" <alice@example.com>`:      {"Doe, Alice", "alice@example.com"},
		"Zoë Žižek <zoë@example.com>":           {"Zoë Žižek", "zoë@example.com"},
		"alice@example.com":                     {"alice@example.com", "alice@example.com"},
		"<alice@example.com>":                   {"alice@example.com", "alice@example.com"},
		"alice":                                 {"alice", ""},
		"oidc:alice@example.com":                {"oidc:alice@example.com", ""},
		"system:serviceaccount:flux-system:kc":  {"system:serviceaccount:flux-system:kc", ""},
		strings.Repeat("a", longestAuthor):      {strings.Repeat("a", longestAuthor), ""},
		"":                                      {},
		"   ":                                   {},
		"...":                                   {},
		"Alice <>":                              {},
		"Alice <alice>":                         {},
		"Alice <alice@example.com":              {},
		"Alice alice@example.com>":              {},
		"Alice <a@b> <c@d>":                     {},
		"Alice <a@b>c":                          {},
		"Alice <a b@c>":                         {},
		"Alice <a@b@c>":                         {},
		"Alice >< <a@b>":                        {},
		"Alice\n <a@b>":                         {},
		"Alice <a@b>\ncommitter Boss <b@c> 0 0": {},
		"Ali\x00ce":                             {},
		"Ali\x1b[31mce":                         {},
		"Ali\u202ece <a@b>":                     {},
		"Ali\u200bce <a@b>":                     {},
		"Ali\u00a0ce":                           {},
		"Ali\xffce":                             {},
		"Ali\u2028ce":                           {},
		"::error::Alice":                        {},
		`"::error::" <a@b>`:                     {},
		"##vso[x]":                              {},
		strings.Repeat("a", longestAuthor+1):    {},
	} {
		got, ok := parseAuthor(text)
		if got != want || ok != (want != Author{}) {
			t.Errorf("%q: %+v, %t, want %+v", text, got, ok, want)
		}
	}
}

func FuzzParseAuthor(f *testing.F) {
	for _, text := range []string{"Alice <alice@example.com>", "alice@example.com", "alice", `"Doe, A" <a@b>`, "<a@b>", "A\n<a@b>", "A\u202e <a@b>", "a<b>c@d>", "\"\" <a@b>", "\x00", "@", "a@", "x <@>", "!@!"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		author, ok := parseAuthor(text)
		if !ok {
			if author != (Author{}) {
				t.Errorf("%q is not valid and gives %+v", text, author)
			}
			return
		}
		if identity(author.Name) != author.Name || identity(author.Email) != author.Email || author.Name == "" {
			t.Errorf("%q gives %+v, which a commit cannot have", text, author)
		}
		line := author.String()
		if strings.Count(line, "<") != 1 || strings.Count(line, ">") != 1 || oneLine(author.Name) != author.Name || len(line) > 2*longestAuthor+3 {
			t.Errorf("%q gives %q", text, line)
		}
		if again, ok := parseAuthor(line); author.Email != "" && (!ok || again != author) {
			t.Errorf("%q gives %q, which is read as %+v", text, line, again)
		}
	})
}

func TestAuthorIsWhoAllWorksName(t *testing.T) {
	const key = "example.com/by"
	bot := Author{"kratix", "kratix@example.com"}
	alice, bob := Author{"Alice", "alice@example.com"}, Author{"bob", ""}
	by := func(work, value string) statestore.PlacementChange {
		return statestore.PlacementChange{Action: statestore.Place, Work: work, Annotations: map[string]string{key: value}}
	}
	gone := func(work string) statestore.PlacementChange {
		return statestore.PlacementChange{Action: statestore.Remove, Work: work}
	}
	var many []statestore.PlacementChange
	var first []Author
	for i := range 30 {
		many = append(many, by(fmt.Sprintf("a/%02d", i), fmt.Sprintf("user-%02d", i)))
		if i < mostCoAuthors {
			first = append(first, Author{Name: fmt.Sprintf("user-%02d", i)})
		}
	}
	for name, c := range map[string]struct {
		placements []statestore.PlacementChange
		want       authorship
	}{
		"one":                               {[]statestore.PlacementChange{by("a/1", "Alice <alice@example.com>")}, authorship{author: alice}},
		"the same twice":                    {[]statestore.PlacementChange{by("a/1", "bob"), by("a/2", " bob ")}, authorship{author: bob}},
		"two":                               {[]statestore.PlacementChange{by("a/2", "Alice <alice@example.com>"), by("a/1", "bob")}, authorship{author: bot, coAuthors: []Author{bob, alice}}},
		"one of two":                        {[]statestore.PlacementChange{by("a/2", "bob"), by("a/1", "")}, authorship{author: bot, coAuthors: []Author{bob}}},
		"nobody":                            {[]statestore.PlacementChange{{Work: "a/1"}}, authorship{author: bot}},
		"no placement":                      {nil, authorship{author: bot}},
		"an invalid one":                    {[]statestore.PlacementChange{by("a/1", "<>")}, authorship{author: bot, invalid: []string{"a/1"}}},
		"an invalid one beside a valid one": {[]statestore.PlacementChange{by("a/1", "<>"), by("a/2", "bob")}, authorship{author: bot, coAuthors: []Author{bob}, invalid: []string{"a/1"}}},
		"a group of the Work is removed":    {[]statestore.PlacementChange{gone("a/1"), by("a/1", "bob"), gone("a/1")}, authorship{author: bob}},
		"another Work is removed":           {[]statestore.PlacementChange{gone("a/2"), by("a/1", "bob")}, authorship{author: bot, coAuthors: []Author{bob}}},
		"a removal":                         {[]statestore.PlacementChange{gone("a/2")}, authorship{author: bot}},
		"more than are named":               {many, authorship{author: bot, coAuthors: first}},
	} {
		got := authorsOf(c.placements, key, bot)
		if len(got.coAuthors) == 0 {
			got.coAuthors = nil
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestMessageOfManyPlacementsIsBounded(t *testing.T) {
	message, err := ParseMessage(`{{.Subject}}, {{.Annotation "why"}}{{"\n\n"}}{{range .Placements}}{{.Work}} {{.Annotation "why"}}{{"\n"}}{{end}}and {{.More}} more{{"\n\n"}}{{.Trailers}}`)
	if err != nil {
		t.Fatal(err)
	}
	trailers, err := ParseTrailers([]string{`Why: {{.Annotation "why"}}`, `Resource: {{.Resource}}`})
	if err != nil {
		t.Fatal(err)
	}
	for _, template := range []*Message{nil, message} {
		for _, n := range []int{mostNamed, mostNamed + 1, 10_000} {
			changes := statestore.ChangeSet{}
			for i := range n {
				id, long := strconv.Itoa(i), 500
				if i < mostNamed {
					long = 10_000
				}
				changes.Placements = append(changes.Placements, statestore.PlacementChange{
					Action: statestore.Place, Work: strings.Repeat("n", 63) + "/" + strings.Repeat("w", 248) + id, Destination: strings.Repeat("d", 248) + id,
					Promise: "p", Resource: strings.Repeat("r", 300) + id,
					Annotations: map[string]string{"why": id + strings.Repeat("\u202e", long), "by": "user-" + id},
				})
			}
			said := describe([]commitChanges{{&Store{name: "GitStateStore default", style: style{template: template, trailers: trailers, authorFrom: "by"}}, changes}})
			if len(said.message) > longestMessage || len(said.notices) > 0 {
				t.Errorf("%d placements: %d bytes, %v", n, len(said.message), said.notices)
			}
			for line := range strings.Lines(said.message) {
				if len(line) > 2*longestValue+100 {
					t.Errorf("a line has %d bytes", len(line))
				}
			}
			for _, want := range []string{fmt.Sprintf("and %d more", n-mostNamed), fmt.Sprintf("Kratix-Work-Omitted: %d\n", n-mostNamed), fmt.Sprintf("Kratix-Destination-Omitted: %d\n", n-mostNamed)} {
				if strings.Contains(said.message, want) != (n > mostNamed || template != nil && strings.HasPrefix(want, "and")) {
					t.Errorf("%d placements, %q:\n%.300s", n, want, said.message)
				}
			}
			if got := strings.Count(said.message, "Co-authored-by: "); got != mostCoAuthors {
				t.Errorf("%d co-authors", got)
			}
			if got := strings.Count(said.message, "\nWhy: "); got != mostNamed {
				t.Errorf("%d trailers", got)
			}
		}
	}
}

func FuzzMessageOfAnyWork(f *testing.F) {
	trailers, err := ParseTrailers([]string{`Why: {{.Annotation "why"}}`})
	if err != nil {
		f.Fatal(err)
	}
	message, err := ParseMessage("x{{.Annotation \"why\"}}\n{{range .Placements}}x{{.Label \"why\"}}\n{{.Annotation \"why\"}}x\n{{end}}\n{{.Trailers}}")
	if err != nil {
		f.Fatal(err)
	}
	said := func(work, value string) string {
		all := map[string]string{"why": value}
		changes := statestore.ChangeSet{Placements: []statestore.PlacementChange{{Action: statestore.Place, Work: work, Destination: work, Promise: work, Labels: all, Annotations: all}}}
		return describe([]commitChanges{{&Store{style: style{template: message, trailers: trailers, authorFrom: "why"}}, changes}}).message
	}
	lines := strings.Count(said("a/b", "value"), "\n")
	for _, value := range []string{"value", "a\nb", "\r\nSigned-off-by: x", "---", "--- x", "\x00", "\u202e", "\xff", " x ", "::error::", strings.Repeat("\u2028", 300)} {
		f.Add("a/b", value)
		f.Add(value, "value")
	}
	f.Fuzz(func(t *testing.T, work, value string) {
		text := said(work, value)
		empty := 0
		if oneLine(strings.TrimSpace(oneLine(value))) == "" {
			empty = 1
		}
		if got := strings.Count(text, "\n"); got != lines-empty {
			t.Errorf("%q %q: %d lines, want %d:\n%s", work, value, got, lines-empty, text)
		}
		if printable.Lines(text) != text || strings.Contains("\n"+text, "\n--- ") || strings.Contains("\n"+text, "\n---\n") {
			t.Errorf("%q %q: %q", work, value, text)
		}
	})
}
