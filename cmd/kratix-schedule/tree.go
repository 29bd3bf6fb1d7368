package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

type treeFlags struct {
	dir, repo, key, knownHosts string
	// noLogin is the reason why no credentials may be sent to the repository, or empty if they may.
	noLogin string
}

func (f *treeFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.dir, "tree", "", "directory with the content of a state store, such as a checkout")
	c.Flags().StringVar(&f.repo, "repo", "", "git repository of a state store, as URL@branch; it is only read; user and password are in the URL or in "+repoUserVariable+" and "+repoPasswordVariable+", which are sent to a repository that a configuration names only if "+repoHostVariable+" has its host")
	c.Flags().StringVar(&f.key, "repo-key", "", "private key for a --repo over ssh; by default the user's own in ~/.ssh")
	c.Flags().StringVar(&f.knownHosts, "repo-known-hosts", "", "known_hosts file with the server's key for a --repo over ssh; by default ~/.ssh/known_hosts")
	configurable(c, "tree", "repo", "repo-key", "repo-known-hosts")
	pathFlags(c, "tree", "repo-key", "repo-known-hosts")
}

func (f *treeFlags) given() bool { return f.dir != "" || f.repo != "" }

func (f *treeFlags) stores(c *cobra.Command) (*checkStores, error) {
	if f.dir != "" && f.repo != "" {
		return nil, usage(c, "--tree and --repo exclude each other")
	}
	if f.repo != "" {
		address, _ := splitBranch(f.repo)
		if why, may := mayLogIn(c, address); !may {
			f.noLogin = why
		}
	}
	return &checkStores{tree: *f, open: map[kratix.StateStoreReference]statestore.Store{}}, nil
}

type checkStores struct {
	tree      treeFlags
	files     []tree.File
	obstacles []statestore.Obstacle
	// filesOnly means that files are checked and no Work is placed.
	filesOnly bool
	// built is called with the number of built roots and the number of all roots. It may be nil.
	built   func(done, all int)
	inRoots int
	// seeds are the records of WorkPlacements in the input, by store.
	seeds map[kratix.StateStoreReference][]tree.File
	open  map[kratix.StateStoreReference]statestore.Store
}

var _ statestore.Opener = (*checkStores)(nil)

func (s *checkStores) Open(ref kratix.StateStoreReference, spec kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	if store, ok := s.open[ref]; ok {
		return store, nil
	}
	top, err := storePath(spec)
	if err != nil {
		return nil, open.Misconfigured(ref, "spec.path", err.Error(), "Correct spec.path.")
	}
	store := memory.New(ref.String())
	changes := statestore.ChangeSet{Write: slices.Clone(s.seeds[ref])}
	for _, file := range s.files {
		if below, ok := file.Path.RelativeTo(top); ok && isIn(ref, below) {
			changes.Write = append(changes.Write, tree.File{Path: below, Content: file.Content})
		}
	}
	if _, err := store.Apply(context.Background(), changes); err != nil {
		return nil, err
	}
	for _, obstacle := range s.obstacles {
		if below, ok := obstacle.Path.RelativeTo(top); ok && isIn(ref, below) {
			obstacle.Path = below
			store.Obstruct(obstacle)
		}
	}
	s.open[ref] = store
	return store, nil
}

func storePath(spec kratix.Object) (tree.Path, error) {
	if store, is := spec.(kratix.StateStore); is {
		return tree.ParseDir(store.Path())
	}
	return tree.Path{}, nil
}

func isIn(ref kratix.StateStoreReference, path tree.Path) bool {
	dir, err := tree.ParseDir(ref.Dir)
	return err != nil || path.Within(dir)
}

func (s *checkStores) load(ctx context.Context) (err error) {
	switch {
	case s.files != nil:
	case s.tree.dir != "":
		s.files, s.obstacles, err = readTree(ctx, s.tree.dir)
	case s.tree.repo != "":
		s.files, s.obstacles, err = s.tree.readRepository(ctx)
	}
	return err
}

// readTree returns the files below a directory, and the symlinks as obstacles. It omits directories
// named .git, and names that no store can hold.
func readTree(ctx context.Context, top string) (files []tree.File, obstacles []statestore.Obstacle, err error) {
	files = []tree.File{}
	err = filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%w %s: %w", dir.ErrPath, name, unwrapped(err))
		case ctx.Err() != nil:
			return ctx.Err()
		case entry.IsDir() && entry.Name() == ".git":
			return fs.SkipDir
		case entry.Type() != fs.ModeSymlink && !entry.Type().IsRegular():
			return nil
		}
		below, err := filepath.Rel(top, name)
		if err != nil {
			return err
		}
		parsed, err := tree.ParsePath(filepath.ToSlash(below))
		if err != nil {
			return nil //nolint:nilerr // no store could hold it
		}
		if entry.Type() == fs.ModeSymlink {
			obstacles = append(obstacles, statestore.Obstacle{Path: parsed, Kind: "a symlink"})
			return nil
		}
		content, err := os.ReadFile(name) //nolint:gosec // a directory given by the user
		if err != nil {
			return fmt.Errorf("%w %s: %w", dir.ErrPath, name, unwrapped(err))
		}
		files = append(files, tree.File{Path: parsed, Content: content})
		return nil
	})
	if err == nil && !isDir(top) {
		err = fmt.Errorf("%w %s: it is not a directory", dir.ErrPath, top)
	}
	return files, obstacles, err
}

// splitBranch splits "URL@branch". An @ before the host belongs to the URL.
func splitBranch(repo string) (url, branch string) {
	start := 0
	if i := strings.Index(repo, "://"); i >= 0 {
		start = i + len("://")
		if slash := strings.Index(repo[start:], "/"); slash >= 0 {
			start += slash
		}
	} else if i := strings.Index(repo, ":"); i >= 0 {
		start = i
	}
	if i := strings.LastIndex(repo[start:], "@"); i >= 0 {
		return repo[:start+i], repo[start+i+1:]
	}
	return repo, ""
}

func baseName(name string) string {
	if base := path.Base(filepath.ToSlash(name)); base != "." && base != "/" && base != "" {
		return base
	}
	return "tree"
}
