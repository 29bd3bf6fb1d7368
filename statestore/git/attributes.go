package git

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// attributesFile is where git is told to change files on their way.
const attributesFile = ".gitattributes"

// attributes remembers what .gitattributes files say that apply to the store.
type attributes struct {
	mu     sync.Mutex
	blobs  []plumbing.Hash // of the files read last
	doubts []string
}

func (a *attributes) warnings() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.doubts
}

// readAttributes reads the .gitattributes in the repository's root, in the
// store's directory and between, when they are new. Files are written as they
// are, whatever these say.
func (s *Store) readAttributes(ctx context.Context) error {
	found, err := s.findAttributes()
	if err != nil {
		return err
	}
	blobs := make([]plumbing.Hash, 0, len(found))
	var wants []plumbing.Hash
	for _, f := range found {
		blobs = append(blobs, f.blob)
		if !s.objects.has(f.blob) {
			wants = append(wants, f.blob)
		}
	}
	s.attributes.mu.Lock()
	defer s.attributes.mu.Unlock()
	if slices.Equal(blobs, s.attributes.blobs) {
		return nil
	}
	if len(wants) > 0 {
		if err := s.getBlobs(ctx, s.head, s.objects, wants); err != nil {
			return err
		}
	}
	var doubts []string
	for _, f := range found {
		content, err := s.objects.content(f.blob)
		if err != nil {
			return err
		}
		doubts = append(doubts, doubtful(f.name, string(content))...)
	}
	s.attributes.blobs, s.attributes.doubts = blobs, doubts
	return nil
}

type attributesAt struct {
	name string
	blob plumbing.Hash
}

// findAttributes goes from the repository's root to the store's directory.
func (s *Store) findAttributes() ([]attributesAt, error) {
	dir, err := s.objects.root(s.head)
	var found []attributesAt
	at, rest := tree.Path{}, s.path
	for err == nil && !dir.IsZero() {
		entries, err := s.objects.entries(dir)
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if entry.Name == attributesFile && isFile(entry) {
				found = append(found, attributesAt{path.Join(at.String(), attributesFile), entry.Hash})
			}
		}
		if rest.IsRoot() {
			break
		}
		var first string
		first, rest = rest.Cut()
		if below, ok := element(first); ok {
			at = at.Join(below)
		}
		if dir, err = s.subdirectory(dir, first); err != nil {
			return nil, err
		}
	}
	return found, err
}

// doubtful lists the lines that make a checkout differ from what was written.
func doubtful(name, text string) []string {
	var doubts []string
	number := 0
	for line := range strings.Lines(text) {
		number++
		fields := strings.Fields(line)
		if len(fields) < 2 || strings.HasPrefix(fields[0], "#") || strings.HasPrefix(fields[0], "[attr]") {
			continue
		}
		for _, attribute := range fields[1:] {
			key, value, _ := strings.Cut(attribute, "=")
			if key == "filter" || key == "working-tree-encoding" || key == "ident" || (key == "eol" && value == "crlf") {
				doubts = append(doubts, fmt.Sprintf("%s, line %d, gives %s the attribute %s: files are written as they are, "+
					"so a checkout may change them or fail; take the store's files out of it", name, number, oneLine(fields[0]), oneLine(attribute)))
			}
		}
	}
	return doubts
}
