// Package history turns the log of a state store into the revisions that changed the placements of
// a Work, and two revisions into the difference of their files. It does no I/O of its own: it reads
// a statestore.Store. The numbers of revisions and records that it reads are bounded. Texts in its
// results come from other writers and are not escaped.
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

// DefaultLimit and MaxLimit are the default and the maximum number of entries of a History.
// DefaultDepth and MaxDepth are the default and the maximum number of revisions that are searched.
const (
	DefaultLimit = 20
	MaxLimit     = 1000
	DefaultDepth = 1000
	MaxDepth     = 10_000
)

// maxCompared is the maximum number of revisions whose files are compared because their messages do
// not name all Works.
const maxCompared = 20

// Query selects revisions. Its zero value selects the newest revisions of the store.
type Query struct {
	// Work is the "namespace/name" of a Work, or its name alone. If it is empty, the revisions of
	// all Works and of other programs are selected.
	Work string
	// Destination excludes revisions that are known to change only other Destinations. If it is
	// empty, every Destination is selected.
	Destination string
	// Limit is the maximum number of entries. Depth is the maximum number of revisions that are
	// searched. 0 means the default.
	Limit, Depth int
}

// History is the result of a Query.
type History struct {
	// Entries are the selected revisions, the newest first.
	Entries []Entry `json:"entries"`
	// Searched is the number of revisions that were searched.
	Searched int `json:"searched"`
	// More means that there are or may be older revisions that were not searched.
	More bool `json:"more"`
	// Foreign is the number of searched revisions whose messages name no Work, such as the commits
	// of other programs. It is 0 if the Query has no Work.
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
	Changes []Change `json:"changes,omitempty"`
	// Trailers are the trailers of the message.
	Trailers []Trailer `json:"trailers,omitempty"`
	// Files are changed files. The function Files returns them for stores whose log does not name
	// them.
	Files []string `json:"files,omitempty"`
}

// ambiguousError is the error about a name that several Works have.
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

// Of returns the newest revisions of a store that a query selects. It fails with statestore.ErrNoLog
// if the store cannot list its revisions.
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
	// files are the present files of the Work. They are read only from stores without messages.
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

// byComparison selects a revision if the files of the Work differ from those of the revision
// before.
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
