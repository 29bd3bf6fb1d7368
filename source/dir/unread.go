package dir

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// Tally is how much the last Snapshot read, and what it passed over.
type Tally struct {
	// Files were read, or could not be.
	Files int
	// Unread are directories below the inputs that are not read without Recursive.
	Unread int
	// Excluded are files and directories that Exclude matches.
	Excluded int
}

// passed is what a look at a directory passes over.
type passed struct{ unread, excluded int }

// Tally returns how much the last Snapshot read.
func (s *Source) Tally() Tally {
	s.looking.Lock()
	defer s.looking.Unlock()
	var t Tally
	for _, in := range s.inputs {
		t.Files += len(in.seen)
		t.Unread += in.passed.unread
		t.Excluded += in.passed.excluded
	}
	return t
}

// noteUnread puts one note into the collection about all directories that are not
// read.
func (s *Source) noteUnread() {
	count, first, inputs := 0, "", 0
	for _, in := range s.inputs {
		if in.passed.unread == 0 {
			continue
		}
		if inputs++; inputs == 1 {
			first = in.path
		}
		count += in.passed.unread
	}
	rank := len(s.inputs) // after the files of all inputs
	if count == 0 {
		s.collection.Remove(rank, "")
		return
	}
	message := "1 sub-directory is not read without -R"
	switch {
	case inputs > 1:
		message = fmt.Sprintf("%d sub-directories of %d directories are not read without -R", count, inputs)
	case count > 1:
		message = fmt.Sprintf("%d sub-directories are not read without -R", count)
	}
	note := finding.Finding{Rule: finding.UnreadDirectory(), Place: finding.Place{File: first}, Message: message}
	if now := source.Remark(rank, note); s.collection.File(rank, "") == nil || !s.collection.File(rank, "").Equal(now) {
		s.collection.Put(now)
	}
}

// passOver counts a directory that is not read. One that is an input itself is
// read as such.
func (in *input) passOver(name string, inputs []*input) {
	if !slices.ContainsFunc(inputs, func(other *input) bool { return filepath.Clean(other.path) == filepath.Clean(name) }) {
		in.passed.unread++
	}
}
