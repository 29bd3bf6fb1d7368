package bucket

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxRefused is the number of rejected files after which the rest of a step is skipped.
const maxRefused = 32

// refusedFiles is the error about files that the server has rejected. err is about the first of
// them.
type refusedFiles struct {
	paths []tree.Path
	err   error
}

func (r refusedFiles) Error() string { return r.err.Error() }
func (r refusedFiles) Unwrap() error { return r.err }

func isRefused(err error) bool { return errors.As(err, new(refusedFiles)) }

// refusals collects the files that the server rejects. It is safe for concurrent use.
type refusals struct {
	mu    sync.Mutex
	files []refusedFiles
}

// add adds a file that the server has rejected. It returns an error if there are too many.
func (r *refusals) add(path tree.Path, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files = append(r.files, refusedFiles{paths: []tree.Path{path}, err: err})
	if len(r.files) >= maxRefused {
		return r.all()
	}
	return nil
}

func (r *refusals) err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.files) == 0 {
		return nil
	}
	return r.all()
}

// all returns one error about all rejected files.
func (r *refusals) all() refusedFiles {
	slices.SortFunc(r.files, func(a, b refusedFiles) int { return tree.Compare(a.paths[0], b.paths[0]) })
	all := refusedFiles{err: r.files[0].err}
	for _, one := range r.files {
		all.paths = append(all.paths, one.paths...)
	}
	return all
}

type progress struct {
	// before has the former contents of changed files, by path.
	before map[tree.Path][]byte

	mu      sync.Mutex
	touched map[tree.Path]struct{}
}

func newProgress() *progress {
	return &progress{before: map[tree.Path][]byte{}, touched: map[tree.Path]struct{}{}}
}

func (p *progress) touch(path tree.Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.touched[path] = struct{}{}
}

// untouched records that a file was not written.
func (p *progress) untouched(path tree.Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.touched, path)
}

// remember reads the contents that a step replaces or removes, so that undo can restore them.
// Removals in final steps are not undone.
func (s *Store) remember(ctx context.Context, step step, done *progress) error {
	var lost []entry
	note := func(path tree.Path) {
		if at, there := slices.BinarySearchFunc(s.seen.entries, path, func(e entry, p tree.Path) int { return compareKeys(e.path, p) }); there {
			lost = append(lost, s.seen.entries[at])
		}
	}
	for _, file := range step.write {
		note(file.Path)
	}
	if !step.final {
		for _, path := range step.remove {
			note(path)
			done.touch(path)
		}
	}
	contents := make([][]byte, len(lost))
	err := parallel(ctx, s.parallel, len(lost), func(ctx context.Context, i int) error {
		content, known := s.cache.get(lost[i].digest)
		if known {
			contents[i] = content
			return nil
		}
		content, err := s.fetch(ctx, lost[i])
		contents[i] = content
		return err
	})
	if err != nil {
		return err
	}
	for i, e := range lost {
		done.before[e.path] = contents[i]
	}
	return nil
}

// undo restores the files that a rejected Apply has changed. It returns the new revision and the
// rejection, or its own error.
func (s *Store) undo(ctx context.Context, done *progress, begun journal, refused error) (statestore.Revision, error) {
	if err := s.stillOurs(ctx); err != nil {
		return "", err
	}
	var back []tree.File
	var added []tree.Path
	for path := range done.touched {
		if content, was := done.before[path]; was {
			back = append(back, tree.File{Path: path, Content: content})
		} else {
			added = append(added, path)
		}
	}
	tree.SortFiles(back)
	slices.SortFunc(added, tree.Compare)
	err := s.remove(ctx, added)
	if err == nil {
		err = s.write(ctx, back, newProgress())
	}
	if err == nil && begun.open {
		err = s.swap(ctx, begun.done())
	}
	if err != nil {
		return "", err
	}
	return s.marker.revision, refused
}
