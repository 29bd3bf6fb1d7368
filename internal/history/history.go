// Package history finds the revisions of a state store that changed the placements of a Work, and
// the differences between two revisions. Texts in its results are not escaped.
package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// DefaultLimit and MaxLimit limit the entries of a History, and DefaultDepth and MaxDepth limit the
// searched revisions.
const (
	DefaultLimit = 20
	MaxLimit     = 1000
	DefaultDepth = 1000
	MaxDepth     = 10_000
)

// maxCompared is the maximum number of revisions whose files are compared.
const maxCompared = 20

// Query selects revisions. Its zero value selects the newest revisions of the store.
type Query struct {
	// Work is the "namespace/name" of a Work, or its name. It is empty for all Works and other
	// programs.
	Work string
	// Destination selects the revisions that change a Destination, as far as this is known. If it
	// is empty, all are selected.
	Destination string
	// Limit is the maximum number of entries, and Depth is the maximum number of searched
	// revisions. 0 means the default.
	Limit, Depth int
}

// History is the result of a Query.
type History struct {
	// Entries are the selected revisions, the newest first.
	Entries []Entry `json:"entries"`
	// Searched is the number of searched revisions.
	Searched int `json:"searched"`
	// More means that older revisions may exist.
	More bool `json:"more"`
	// Foreign is the number of searched revisions that name no Work, if the Query has a Work.
	Foreign int `json:"foreign"`
	// Warnings are the reasons why revisions may be missing.
	Warnings []string `json:"warnings,omitempty"`
}

// Entry is a revision of a store.
type Entry struct {
	Revision  string    `json:"revision"`
	Parent    string    `json:"parent,omitempty"`
	Time      time.Time `json:"time,omitzero"`
	Author    string    `json:"author,omitempty"`
	Committer string    `json:"committer,omitempty"`
	Subject   string    `json:"subject,omitempty"`
	// Changes are the changes of placements of the Work that the message describes.
	Changes  []Change  `json:"changes,omitempty"`
	Trailers []Trailer `json:"trailers,omitempty"`
	// Files are changed files, for stores whose log names them.
	Files []string `json:"files,omitempty"`
}

type ambiguousError struct {
	name  string
	works []string
}

func (e ambiguousError) Error() string {
	return fmt.Sprintf("there are several Works named %s: %s", e.name, strings.Join(e.works, ", "))
}

// IsAmbiguous reports whether an error means that several Works have the name of a Query.
func IsAmbiguous(err error) bool {
	var ambiguous ambiguousError
	return errors.As(err, &ambiguous)
}

// Of returns the newest revisions of a store that a query selects. It fails with
// statestore.ErrNoLog if the store cannot list its revisions.
func Of(ctx context.Context, store statestore.Store, query Query) (History, error) {
	limit, depth := bounded(query.Limit, DefaultLimit, MaxLimit), bounded(query.Depth, DefaultDepth, MaxDepth)
	log, err := statestore.ReadLog(ctx, store, depth)
	if err != nil {
		return History{}, err
	}
	search := searcher{store: store, query: query}
	history := History{Entries: []Entry{}, More: log.More, Warnings: log.Warnings}
	for i := range log.Entries {
		if len(history.Entries) == limit {
			history.More = true
			break
		}
		history.Searched++
		entry, selected, err := search.entry(ctx, &log.Entries[i])
		if err != nil {
			return History{}, err
		}
		if !selected {
			continue
		}
		history.Entries = append(history.Entries, entry)
	}
	history.Foreign = search.foreign
	if search.unsure > 0 {
		history.Warnings = append(history.Warnings, fmt.Sprintf("%d revisions do not name all of their Works and were not compared", search.unsure))
	}
	if len(search.works) > 1 {
		return History{}, ambiguousError{query.Work, search.works}
	}
	return history, nil
}

func bounded(n, usual, most int) int {
	if n <= 0 {
		return usual
	}
	return min(n, most)
}

type searcher struct {
	store statestore.Store
	query Query
	works []string
	// files are the present files of the Work. They are nil until they are needed.
	files                     map[string]bool
	compared, unsure, foreign int
}

func (s *searcher) entry(ctx context.Context, in *statestore.LogEntry) (Entry, bool, error) {
	said := parseMessage(in.Message, s.query.Work)
	entry := Entry{
		Revision: string(in.Revision), Parent: string(in.Parent), Time: in.Time, Author: in.Author, Committer: in.Committer,
		Subject: said.subject, Changes: said.changes, Trailers: said.trailers,
	}
	for _, file := range in.Files {
		entry.Files = append(entry.Files, file.String())
	}
	switch {
	case s.query.Work == "":
		return entry, s.query.Destination == "" || said.destinationIs(s.query.Destination), nil
	case in.Message == "":
		return s.byFiles(ctx, entry)
	case len(said.works) > 0:
		for _, work := range said.works {
			if !slices.Contains(s.works, work) {
				s.works = append(s.works, work)
			}
		}
		return entry, s.query.Destination == "" || said.destinationIs(s.query.Destination), nil
	case said.omits:
		return s.byComparison(ctx, entry)
	case !said.isOwn:
		s.foreign++
	}
	return entry, false, nil
}

// byFiles selects a revision without a message if it names a file of the Work.
func (s *searcher) byFiles(ctx context.Context, entry Entry) (Entry, bool, error) {
	if s.files == nil {
		state, err := s.store.Read(ctx)
		if err != nil {
			return entry, false, err
		}
		placed, err := placedIn(ctx, state, s.query.Work)
		if err != nil {
			return entry, false, err
		}
		s.files, s.works = map[string]bool{}, placed.works
		for _, placement := range placed.placements {
			if s.query.Destination != "" && placement.destination != s.query.Destination {
				continue
			}
			for _, path := range placement.files {
				s.files[path.String()] = true
			}
		}
	}
	entry.Files = slices.DeleteFunc(entry.Files, func(file string) bool { return !s.files[file] })
	return entry, len(entry.Files) > 0, nil
}

// byComparison selects a revision if it changes the files of the Work.
func (s *searcher) byComparison(ctx context.Context, entry Entry) (Entry, bool, error) {
	if s.compared == maxCompared {
		s.unsure++
		return entry, false, nil
	}
	s.compared++
	files, err := Files(ctx, s.store, statestore.Revision(entry.Parent), statestore.Revision(entry.Revision), Selection{Work: s.query.Work})
	switch {
	case errors.Is(err, statestore.ErrUnknownRevision):
		s.unsure++
		return entry, false, nil
	case err != nil:
		return entry, false, err
	}
	return entry, len(files) > 0, nil
}
