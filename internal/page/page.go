// Package page turns the report of a round into HTML pages. Every text of a report is made
// printable, and html/template escapes it.
package page

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

// Round is the result of a round for the pages.
type Round struct {
	Report report.Report
	// Ended is the end of the round of the report, or zero before there is a report.
	Ended time.Time
	// Failure is the error of a round without a report. It is empty otherwise.
	Failure string
	// Input is the input of the plan. It is nil if it is not known.
	Input *scheduler.Input
	// Assigned means that Kratix has chosen the Destinations, and not this process.
	Assigned bool
}

// Placement identifies a placement.
type Placement struct{ Work, Directory, Destination string }

// Store reads the contents of state stores. Its methods must return within seconds.
type Store interface {
	// Files returns the stored files of a placement.
	Files(ctx context.Context, w Wanted) (Files, error)
	// History returns the newest revisions of the store that changed a placement.
	History(ctx context.Context, w Wanted) (History, error)
	// Compare returns the difference of the files of a placement between two revisions.
	Compare(ctx context.Context, w Wanted, from, to string) (Comparison, error)
}

// Wanted is a placement whose files are wanted.
type Wanted struct {
	Placement report.Placement
	On        *kratix.Destination
	// Revision is the revision of the store in the report. It is empty if the report has none.
	Revision string
}

// Files are the stored files of a placement.
type Files struct {
	// Store and Revision identify the state of the store.
	Store, Revision string
	Files           []File
	// Left is the number of files that are left out because of the limits.
	Left int
	// Joined means that the placement is a part of a file that may have parts of other placements.
	Joined bool
}

// File is a stored file.
type File struct {
	Path string
	Size int
	// Content is the beginning of the file, with the values of Secrets masked.
	Content string
	// Cut means that Content is incomplete.
	Cut bool
	// Withheld is the reason why there is no Content. It is empty if there is.
	Withheld string
}

// History contains the revisions of a store that changed a placement, the newest first.
type History struct {
	Store     string
	Revisions []Revision
	// Searched is the number of searched revisions. More means that there may be older revisions.
	Searched int
	More     bool
	Warnings []string
}

// Revision is a revision of a store.
type Revision struct {
	ID, Parent, Time, Author, Subject string
	// Changes are the actions of the revision on the placement.
	Changes []string
}

// Comparison is the difference between two revisions.
type Comparison struct {
	// Lines are the difference in the format of git, with the values of Secrets masked.
	Lines []string
	// Cut means that Lines are incomplete.
	Cut bool
}

// Site serves the pages. It is safe for concurrent use. Its fields must not change after the first
// request.
type Site struct {
	// Version is the version of the program.
	Version string
	Now     func() time.Time
	// Store reads files. It is nil if files are not shown.
	Store Store

	last    atomic.Pointer[state]
	standby atomic.Bool
	rounds  atomic.Int64
	clients clients
	plans   slots
}

type state struct {
	Round
	once  sync.Once
	built *index
}

func (s *state) index() *index {
	s.once.Do(func() { s.built = newIndex(s.Round) })
	return s.built
}

// Publish replaces the round that the pages show. If the round has failed, the previous report
// remains.
func (s *Site) Publish(r Round) {
	now := &state{Round: r}
	if before := s.last.Load(); r.Failure != "" && before != nil {
		now.Report, now.Ended, now.Input, now.Assigned = before.Report, before.Ended, before.Input, before.Assigned
	}
	s.last.Store(now)
	s.clients.notify(s.rounds.Add(1))
}

// Standby makes the pages say that another replica leads, until there is a round.
func (s *Site) Standby() {
	s.standby.Store(true)
	s.clients.notify(s.rounds.Add(1))
}

// Close ends the connections of open pages. Further calls have no effect.
func (s *Site) Close() { s.clients.close() }
