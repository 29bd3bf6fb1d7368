package git

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const attributesFile = ".gitattributes"

type attributes struct {
	mu     sync.Mutex
	blobs  []plumbing.Hash // hashes of the .gitattributes files that were read last
	doubts []string
}

func (a *attributes) warnings() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.doubts
}

// attributesAfter returns the sorted paths of the .gitattributes files below the store's directory
// after changes. The parameter were has the paths before them.
func attributesAfter(were []tree.Path, changes []statestore.FileChange) []tree.Path {
	are := slices.Clone(were)
	for _, change := range changes {
		if change.Path.Base() != attributesFile || change.Path.Dir().IsRoot() {
			continue
		}
		at, found := slices.BinarySearchFunc(are, change.Path, comparePaths)
		switch {
		case change.Gone && found:
			are = slices.Delete(are, at, at+1)
		case !change.Gone && !found:
			are = slices.Insert(are, at, change.Path)
		}
	}
	return are
}

func comparePaths(a, b tree.Path) int { return strings.Compare(a.String(), b.String()) }

// readAttributes updates the warnings about .gitattributes files.
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
	if more := len(doubts) - maxDoubts; more > 0 {
		doubts = append(doubts[:maxDoubts], fmt.Sprintf("%d more lines of .gitattributes files change files on their way", more))
	}
	s.attributes.blobs, s.attributes.doubts = blobs, doubts
	return nil
}

type attributesAt struct {
	name string
	blob plumbing.Hash
}

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
		if dir, err = s.subdirectory(s.objects, dir, first); err != nil {
			return nil, err
		}
	}
	return append(found, s.attributesBelow()...), err
}

// maxAttributes is the maximum number of .gitattributes files that are read below the store's
// directory. maxDoubts is the maximum number of warnings about single attributes.
const (
	maxAttributes = 100
	maxDoubts     = 20
)

func (s *Store) attributesBelow() []attributesAt {
	var found []attributesAt
	for _, p := range s.seen.attributes[:min(len(s.seen.attributes), maxAttributes)] {
		if known, ok := s.seen.files.Digest(p); ok {
			found = append(found, attributesAt{s.path.Join(p).String(), blobOf(known)})
		}
	}
	return found
}

// doubtful returns a warning for each attribute with which a checkout may differ from the store's
// files.
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
