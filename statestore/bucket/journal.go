package bucket

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// journal is the list of files in the marker: those that an incomplete Apply writes or removes, and
// those that earlier Applies may have left behind. It has no records.
type journal struct {
	// open means that an Apply has begun, and its end is not recorded.
	open  bool
	names []named
	// kept are those of names that this Apply neither writes nor removes.
	kept []named
}

// named is the path and the digest of a file in a journal.
type named struct {
	path   tree.Path
	digest statestore.Digest
}

// begin returns the journal for an Apply. held are the files in the store.
func (j journal) begin(held statestore.Files, changes statestore.ChangeSet) journal {
	next := journal{}
	own := make(map[tree.Path]struct{}, len(changes.Write)+len(changes.Remove))
	note := func(path tree.Path, sum statestore.Digest) {
		if _, twice := own[path]; !twice && fileKindOf(path) != records {
			next.names = append(next.names, named{path, sum})
		}
		own[path] = struct{}{}
	}
	for _, file := range changes.Write {
		note(file.Path, digestOf(file.Content))
	}
	for _, path := range changes.Remove {
		if sum, there := held.Digest(path); there {
			note(path, sum)
		}
	}
	next.open = len(next.names) > 0
	doubtful := make(map[tree.Path]struct{}, len(changes.Unfinished))
	for _, path := range changes.Unfinished {
		doubtful[path] = struct{}{}
	}
	for _, old := range j.names {
		_, settled := own[old.path]
		_, inDoubt := doubtful[old.path]
		sum, there := held.Digest(old.path)
		underWay := j.open && (!there || sum != old.digest)
		if !settled && (inDoubt || underWay) {
			next.kept = append(next.kept, old)
		}
	}
	next.names = append(next.names, next.kept...)
	slices.SortFunc(next.names, func(a, b named) int { return compareKeys(a.path, b.path) })
	return next
}

func (j journal) done() journal { return journal{names: j.kept, kept: j.kept} }

// unfinished returns the files in the store that the journal lists with the same digest.
func (j journal) unfinished(held statestore.Files) []tree.Path {
	var paths []tree.Path
	for _, n := range j.names {
		if sum, there := held.Digest(n.path); there && sum == n.digest {
			paths = append(paths, n.path)
		}
	}
	return paths
}

const (
	journalOpen = "writing:"
	journalDone = "written; left in doubt:"
)

// text returns the content of the marker. It differs from call to call, so that each version has
// another ETag.
func (j journal) text() []byte {
	state := journalDone
	if j.open {
		state = journalOpen
	}
	text := fmt.Appendf(nil, "%s\nkratix-schedule replaces this object before and after it changes the store, so that two\n"+
		"writers notice each other, and names here what a crash might leave half done.\n%s\n", rand.Text(), state)
	for _, n := range j.names {
		text = fmt.Appendf(text, "%s  %s\n", hexDigest(n.digest), n.path)
	}
	return text
}

func parseJournal(content []byte) journal {
	var j journal
	for line := range bytes.Lines(content) {
		text := strings.TrimSuffix(string(line), "\n")
		if text == journalOpen {
			j.open = true
		}
		digits, name, _ := strings.Cut(text, "  ")
		sum, isSum := parseSum(digits)
		path, err := tree.ParsePath(name)
		if isSum && err == nil {
			j.names = append(j.names, named{path, sum})
		}
	}
	return j
}
