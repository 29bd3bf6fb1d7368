package daemon

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/history"
	"github.com/kratix-schedule/kratix-schedule/internal/page"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

const (
	maxPageRevisions = 50
	maxPageSearched  = 500
	maxPageLines     = 2000
)

var (
	errPageNoLog   = errors.New("the store does not list earlier revisions")
	errPageUnknown = errors.New("the store does not have that revision any more")
)

func (s *pageStore) History(ctx context.Context, w page.Wanted) (page.History, error) {
	ctx, free, err := s.begin(ctx)
	if err != nil {
		return page.History{}, err
	}
	defer free()
	name, view, _, err := s.view(w)
	if err != nil {
		return page.History{}, err
	}
	of, err := history.Of(ctx, view, history.Query{Work: w.Placement.Work, Destination: w.Placement.Destination, Limit: maxPageRevisions, Depth: maxPageSearched})
	if err != nil {
		return page.History{}, explained(err)
	}
	shown := page.History{Store: name, Searched: of.Searched, More: of.More, Warnings: of.Warnings}
	for _, entry := range of.Entries {
		revision := page.Revision{ID: entry.Revision, Parent: entry.Parent, Author: entry.Author, Subject: entry.Subject}
		if !entry.Time.IsZero() {
			revision.Time = entry.Time.UTC().Format(time.DateTime) + " UTC"
		}
		for _, change := range entry.Changes {
			if change.Work == w.Placement.Work {
				revision.Changes = append(revision.Changes, strings.TrimSpace(string(change.Action)+" on "+change.Destination))
			}
		}
		shown.Revisions = append(shown.Revisions, revision)
	}
	return shown, nil
}

func (s *pageStore) Compare(ctx context.Context, w page.Wanted, from, to string) (page.Comparison, error) {
	ctx, free, err := s.begin(ctx)
	if err != nil {
		return page.Comparison{}, err
	}
	defer free()
	name, view, state, err := s.view(w)
	if err != nil {
		return page.Comparison{}, err
	}
	withheld, err := s.withheld(ctx, name, view, state, statestore.Revision(from), statestore.Revision(to))
	if err != nil {
		return page.Comparison{}, explained(err)
	}
	difference, err := history.Diff(ctx, view, statestore.Revision(from), statestore.Revision(to), history.Selection{Work: w.Placement.Work})
	if err != nil {
		return page.Comparison{}, explained(err)
	}
	shown := page.Comparison{Cut: difference.More > 0}
	for _, file := range difference.Files {
		if file.Withheld == "" {
			file.Withheld = withheld(file.Path)
		}
		shown.Lines = append(shown.Lines, file.Lines()...)
		if len(shown.Lines) > maxPageLines {
			shown.Lines, shown.Cut = shown.Lines[:maxPageLines], true
			break
		}
	}
	return shown, nil
}

// withheld returns a function that returns the reason why a file must not be shown, or "". A file
// must not be shown if a kustomization may put it into a Secret at one of the revisions.
func (s *pageStore) withheld(ctx context.Context, name string, view statestore.View, last statestore.State, revisions ...statestore.Revision) (func(path string) string, error) {
	secret := map[string]string{}
	add := func(state statestore.State) error {
		found, err := s.secretFiles(ctx, name, state)
		for path, kustomization := range found {
			secret[path.String()] = kustomization.String() + " may put it into a Secret"
		}
		return err
	}
	if !statestore.HasHistory(view) {
		return func(path string) string {
			if secret[path] == "" && !strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, ".yml") {
				return "it may have been put into a Secret"
			}
			return secret[path]
		}, add(last)
	}
	for _, revision := range revisions {
		if revision == "" {
			continue
		}
		state, err := statestore.At(ctx, view, revision)
		if err != nil {
			return nil, err
		}
		if err := add(state); err != nil {
			return nil, err
		}
	}
	return func(path string) string { return secret[path] }, nil
}

func explained(err error) error {
	switch {
	case errors.Is(err, statestore.ErrNoLog):
		return errPageNoLog
	case errors.Is(err, statestore.ErrUnknownRevision):
		return errPageUnknown
	case errors.Is(err, context.DeadlineExceeded):
		return errPageSlow
	}
	return err
}
