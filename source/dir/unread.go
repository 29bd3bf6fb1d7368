package dir

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// Tally has the numbers of files and directories in the last Snapshot.
type Tally struct {
	// Files is the number of files, including unreadable files.
	Files int
	// Unread is the number of subdirectories that were not read because Recursive is not set.
	Unread int
	// Excluded is the number of files and directories that were left out because of Exclude.
	Excluded int
}

type skipped struct{ unread, excluded int }

// Tally returns the numbers of the last Snapshot.
func (s *Source) Tally() Tally {
	s.scanning.Lock()
	defer s.scanning.Unlock()
	var t Tally
	for _, in := range s.inputs {
		t.Files += len(in.seen)
		t.Unread += in.skipped.unread
		t.Excluded += in.skipped.excluded
	}
	return t
}

func (s *Source) noteUnread() {
	count, first, inputs := 0, "", 0
	for _, in := range s.inputs {
		if in.skipped.unread == 0 {
			continue
		}
		if inputs++; inputs == 1 {
			first = in.path
		}
		count += in.skipped.unread
	}
	rank := len(s.inputs) // after all inputs
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

// skip counts a subdirectory that is not read, unless it is an input itself.
func (in *input) skip(name string, inputs []*input) {
	if !slices.ContainsFunc(inputs, func(other *input) bool { return filepath.Clean(other.path) == filepath.Clean(name) }) {
		in.skipped.unread++
	}
}
