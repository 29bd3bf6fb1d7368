package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type differ struct{ diffs []report.FileDiff }

func (d *differ) finish(ctx context.Context, part statestore.StoreChanges) statestore.Outcome {
	if part.Changes.Empty() {
		return statestore.Outcome{Revision: part.Changes.Base}
	}
	if err := d.compare(ctx, part); err != nil {
		return statestore.Outcome{Err: err}
	}
	return statestore.Outcome{Revision: part.Changes.Base}
}

func (d *differ) compare(ctx context.Context, part statestore.StoreChanges) error {
	state, err := part.Store.Read(ctx)
	if err != nil {
		return err
	}
	sides := beforeAfterOf(ctx, state, part.Changes)
	secret, err := sides.secret()
	if err != nil {
		return err
	}
	for _, path := range slices.SortedFunc(maps.Keys(sides.changed), tree.Compare) {
		diff := report.FileDiff{Path: path.String(), New: sides.changed[path]}
		if diff.Old, err = sides.old(path); err != nil {
			return err
		}
		if kustomization, ok := secret[path]; ok {
			diff.Withheld = fmt.Sprintf("%s may put it into a Secret", kustomization)
		}
		d.diffs = append(d.diffs, diff)
	}
	return nil
}

type beforeAfter struct {
	before, after []tree.Path
	// changed maps changed files to their new content, and removed files to nil.
	changed map[tree.Path][]byte
	// old returns the content of a file before the changes, or nil for a new file.
	old func(tree.Path) ([]byte, error)
}

func beforeAfterOf(ctx context.Context, state statestore.State, changes statestore.ChangeSet) beforeAfter {
	s := beforeAfter{changed: map[tree.Path][]byte{}}
	for _, file := range changes.Write {
		s.changed[file.Path] = append([]byte{}, file.Content...)
		s.after = append(s.after, file.Path)
	}
	for _, path := range changes.Remove {
		s.changed[path] = nil
	}
	for path := range state.Files.All() {
		s.before = append(s.before, path)
		if _, changes := s.changed[path]; !changes {
			s.after = append(s.after, path)
		}
	}
	slices.SortFunc(s.before, tree.Compare)
	slices.SortFunc(s.after, tree.Compare)
	s.old = func(path tree.Path) ([]byte, error) {
		if !state.Files.Has(path) {
			return nil, nil
		}
		content, err := state.Contents.Content(ctx, path)
		return append([]byte{}, content...), err
	}
	return s
}

// secret returns the files from which kustomizations generate Secrets, each with its kustomization.
func (s beforeAfter) secret() (map[tree.Path]tree.Path, error) {
	read := map[tree.Path][]byte{}
	old := func(path tree.Path) ([]byte, error) {
		content, there := read[path]
		if there {
			return content, nil
		}
		content, err := s.old(path)
		read[path] = content
		return content, err
	}
	secret, err := kustomize.SecretFiles(s.before, old)
	if err != nil {
		return nil, err
	}
	after, err := kustomize.SecretFiles(s.after, func(path tree.Path) ([]byte, error) {
		if content, changes := s.changed[path]; changes {
			return content, nil
		}
		return old(path)
	})
	maps.Copy(secret, after)
	return secret, err
}
