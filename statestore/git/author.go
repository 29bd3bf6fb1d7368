package git

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// longestAuthor is the maximum length in bytes of an annotation with an author. mostCoAuthors is
// the maximum number of co-authors of a commit.
const (
	longestAuthor = 256
	mostCoAuthors = 20
)

// parseAuthor parses "Name <address>", a mail address or a name. It returns false for other texts.
func parseAuthor(text string) (Author, bool) {
	text = strings.TrimSpace(text)
	if len(text) > longestAuthor || !printable.IsPlain(text) {
		return Author{}, false
	}
	name, address, both := strings.Cut(text, "<")
	switch {
	case both:
		address, both = strings.CutSuffix(address, ">")
		name = strings.TrimSpace(unquoted(strings.TrimSpace(name)))
		if !both || !isAddress(address) {
			return Author{}, false
		}
		if name == "" {
			name = address
		}
	case isAddress(text):
		return Author{Name: text, Email: text}, true
	}
	if strings.ContainsAny(name, "<>") || !printable.IsPlain(name) || !strings.ContainsFunc(name, isLetterOrDigit) {
		return Author{}, false
	}
	return Author{Name: name, Email: address}, true
}

func unquoted(name string) string {
	if len(name) > 1 && strings.HasPrefix(name, `"`) && strings.HasSuffix(name, `"`) {
		return name[1 : len(name)-1]
	}
	return name
}

// isAddress reports whether a text has the form user@host.
func isAddress(text string) bool {
	user, host, found := strings.Cut(text, "@")
	return found && user != "" && host != "" && strings.ContainsFunc(text, isLetterOrDigit) && !strings.ContainsAny(text, " <>,;:\"()[]\\") && !strings.Contains(host, "@")
}

func isLetterOrDigit(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// String returns the person as git writes it: "Name <address>".
func (a Author) String() string { return a.Name + " <" + a.Email + ">" }

type authorship struct {
	author    Author
	coAuthors []Author
	invalid   []string
}

// authorsOf returns the author in the annotation of the Works. If the Works do not name the same
// person, it returns defaultAuthor, with the named persons as co-authors.
func authorsOf(placements []statestore.PlacementChange, annotation string, defaultAuthor Author) authorship {
	named := map[string]string{}
	for _, p := range placements {
		if value := p.Annotations[annotation]; value != "" || named[p.Work] == "" {
			named[p.Work] = value
		}
	}
	var made authorship
	var authors []Author
	agree, seen := true, map[Author]bool{}
	for _, work := range slices.Sorted(maps.Keys(named)) {
		author, ok := parseAuthor(named[work])
		if !ok {
			agree = false
			if named[work] != "" {
				made.invalid = append(made.invalid, work)
			}
			continue
		}
		if !seen[author] {
			seen[author], authors = true, append(authors, author)
		}
	}
	if agree && len(authors) == 1 {
		made.author = authors[0]
		return made
	}
	made.author, made.coAuthors = defaultAuthor, authors[:min(len(authors), mostCoAuthors)]
	return made
}

func (a authorship) trailers() string {
	var text strings.Builder
	for _, author := range a.coAuthors {
		text.WriteString("Co-authored-by: " + author.String() + "\n")
	}
	return text.String()
}

func (a authorship) notices(annotation string) []string {
	messages := make([]string, 0, len(a.invalid))
	for _, work := range a.invalid {
		messages = append(messages, "Work "+oneLine(work)+": its annotation "+annotation+" is not the author of its commits: it must be a name, a mail address, or a name and <address>, without invisible characters, in at most "+strconv.Itoa(longestAuthor)+" bytes")
	}
	return messages
}
