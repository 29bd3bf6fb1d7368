package source

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDocuments(t *testing.T) {
	type doc struct {
		Text string
		Line int
	}
	tests := map[string]struct {
		content string
		want    []doc
	}{
		"nothing":                        {"", []doc{{"", 1}}},
		"one":                            {"a: 1\n", []doc{{"a: 1\n", 1}}},
		"a leading marker":               {"---\na: 1\n", []doc{{"", 1}, {"a: 1\n", 2}}},
		"two, no newline at the end":     {"a: 1\n---\nb: 2", []doc{{"a: 1\n", 1}, {"b: 2", 3}}},
		"a trailing marker":              {"a: 1\n---", []doc{{"a: 1\n", 1}, {"", 3}}},
		"a comment behind the marker":    {"a: 1\n--- # b\nb: 2\n", []doc{{"a: 1\n", 1}, {"b: 2\n", 3}}},
		"blanks behind the marker":       {"a: 1\n--- \t\nb: 2\n", []doc{{"a: 1\n", 1}, {"b: 2\n", 3}}},
		"CRLF":                           {"a: 1\r\n---\r\nb: 2\r\n", []doc{{"a: 1\r\n", 1}, {"b: 2\r\n", 3}}},
		"an indented marker is text":     {"a: |\n  ---\n  b\n", []doc{{"a: |\n  ---\n  b\n", 1}}},
		"dashes with text are no marker": {"---a\n----\n", []doc{{"---a\n----\n", 1}}},
		"the end marker":                 {"a: 1\n...\nb: 2\n", []doc{{"a: 1\n", 1}, {"b: 2\n", 3}}},
		"dots with text are no marker":   {"....\n...a\n", []doc{{"....\n...a\n", 1}}},
		"a document on the marker's own line": {
			"a: 1\n--- {b: 2}\n--- |\n text\n", []doc{{"a: 1\n", 1}, {"--- {b: 2}\n", 2}, {"--- |\n text\n", 3}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []doc
			for _, d := range documents([]byte(test.content)) {
				got = append(got, doc{string(d.text), d.line})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func FuzzDocuments(f *testing.F) {
	for _, seed := range []string{"", "---", "a\n---\nb\n", "---\r\na\r\n--- x\r\n...\n---#\n", "a\n---\n---\n\n--- # c\nb"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		before := bytes.Clone(content)
		lines := strings.SplitAfter(string(content), "\n")
		held := make([]bool, len(lines)+1)
		for _, doc := range documents(content) {
			for i, line := range strings.SplitAfter(string(doc.text), "\n") {
				if line == "" {
					continue
				}
				at := doc.line - 1 + i
				if at >= len(lines) || lines[at] != line || held[at] {
					t.Fatalf("line %d of the file is not %q, or is held twice", at+1, line)
				}
				held[at] = true
			}
		}
		for i, line := range lines {
			marks, holds := marker([]byte(line))
			if wanted := line != "" && (!marks || holds); held[i] != wanted {
				t.Errorf("line %d, %q, is in a document: %t", i+1, line, held[i])
			}
		}
		if !bytes.Equal(before, content) {
			t.Error("the file's bytes are changed")
		}
	})
}
