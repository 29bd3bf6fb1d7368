// Package sandbox runs kustomize builds in separate processes, because a build can take any amount
// of memory or time and cannot be interrupted. A [Builder] starts a process that calls [Serve].
package sandbox

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

// Argument is the only argument of a build process. A program that is started with it must call
// Serve.
const Argument = "__kustomize-build"

// Builder builds in separate processes.
type Builder struct {
	// Program is the path of the program to start. It must call Serve if its only argument is
	// Argument.
	Program string
	// Patience is the maximum duration of a build. 0 means two minutes.
	Patience time.Duration
	// Memory is the maximum writable memory of a build in bytes. 0 means a default limit.
	Memory int64
	// Stop, when closed, ends the builds of Nested and Units. It may be nil.
	Stop <-chan struct{}
}

var _ kustomize.Builder = Builder{}

const defaultPatience = 2 * time.Minute

// request describes the builds of one process. It is sent as JSON on the standard input of the
// process.
type request struct {
	Root string `json:"root"`
	// Directory is the directory to build with Nested. If it is empty and there are no Roots, the
	// process builds Units.
	Directory string   `json:"directory,omitempty"`
	Units     []string `json:"units,omitempty"`
	Roots     []string `json:"roots,omitempty"`
	Files     []string `json:"files"`
	Memory    int64    `json:"memory,omitempty"`
}

type answer struct {
	// Fetch is the path of a file whose content the process needs. If it is set, all other fields
	// are empty.
	Fetch  string           `json:"fetch,omitempty"`
	Nested kustomize.Nested `json:"nested"`
	// Built is the result for one of request.Roots, and nil in other answers.
	Built  *kustomize.BuiltRoot `json:"built,omitempty"`
	Failed string               `json:"failed,omitempty"`
	Remote bool                 `json:"remote,omitempty"`
}

// Nested does the same as kustomize.BuildNested.
func (b Builder) Nested(root, dir tree.Path, files []tree.File) (kustomize.Nested, error) {
	return b.ask(request{Root: root.String(), Directory: dir.String()}, files)
}

// Units does the same as kustomize.BuildUnits.
func (b Builder) Units(root tree.Path, units []tree.Path, files []tree.File) error {
	ask := request{Root: root.String()}
	for _, unit := range units {
		ask.Units = append(ask.Units, unit.String())
	}
	_, err := b.ask(ask, files)
	return err
}

func (b Builder) ask(ask request, files []tree.File) (kustomize.Nested, error) {
	patience := b.patience()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	defer b.stopWith(cancel)()
	select {
	case <-b.Stop:
		return kustomize.Nested{}, errStopped
	default:
	}
	process, err := b.start(ctx, ask, files)
	if err != nil {
		return kustomize.Nested{}, err
	}
	said, err := process.next()
	err = errors.Join(process.end(), err)
	if errors.Is(ctx.Err(), context.Canceled) {
		return kustomize.Nested{}, errStopped
	}
	if ctx.Err() != nil {
		return kustomize.Nested{}, kustomize.BoundsError(fmt.Sprintf("kustomize did not come to an end in %s", patience))
	}
	if err != nil {
		return kustomize.Nested{}, b.ended(err)
	}
	return said.Nested, said.err()
}

func (b Builder) ended(err error) error {
	if b.Memory > 0 {
		return fmt.Errorf("%w: it may take %d MiB of memory, a quarter of GOMEMLIMIT: %w", errLimits, b.Memory>>20, err)
	}
	return fmt.Errorf("%w: %w", errLimits, err)
}

func (b Builder) patience() time.Duration { return cmp.Or(b.Patience, defaultPatience) }

// stopWith calls cancel when Stop is closed. The returned function ends the wait for Stop.
func (b Builder) stopWith(cancel context.CancelFunc) (forget func()) {
	if b.Stop == nil {
		return func() {}
	}
	over := make(chan struct{})
	go func() {
		select {
		case <-b.Stop:
			cancel()
		case <-over:
		}
	}()
	return func() { close(over) }
}

// errLimits is the error of a build whose process failed.
const errLimits = kustomize.BoundsError("kustomize was ended by its limits")

var errNoAnswer = errors.New("it gave no answer")

// failure is an error of kustomize in a build process: its text, and the error that it wraps.
type failure struct {
	text string
	is   error
}

func (f failure) Error() string { return f.text }
func (f failure) Unwrap() error { return f.is }

func (a answer) err() error {
	switch {
	case a.Failed == "":
		return nil
	case a.Remote:
		return failure{a.Failed, kustomize.ErrRemote}
	}
	return failure{a.Failed, kustomize.ErrBuild}
}

// Serve reads the request of a Builder from in and writes the answers to out. The process must do
// nothing else, because Serve limits its memory and may end it.
func Serve(in io.Reader, out io.Writer) error {
	endWithParent()
	ask, err := readRequest(in)
	if err != nil {
		return fmt.Errorf("read what to build: %w", err)
	}
	if err := limitMemory(ask.Memory); err != nil {
		return fmt.Errorf("limit the memory: %w", err)
	}
	files := make([]tree.File, 0, len(ask.Files))
	for _, name := range ask.Files {
		path, err := tree.ParsePath(name)
		if err != nil {
			return err
		}
		files = append(files, tree.File{Path: path})
	}
	answers := json.NewEncoder(out)
	build := kustomize.Lazy{Fetch: func(path tree.Path) ([]byte, error) {
		if err := answers.Encode(answer{Fetch: path.String()}); err != nil {
			return nil, err
		}
		return readContent(in)
	}}
	if len(ask.Roots) > 0 {
		return ask.serveRoots(build, files, answers)
	}
	said, err := ask.build(build, files)
	if err != nil {
		said.Failed, said.Remote = err.Error(), errors.Is(err, kustomize.ErrRemote)
	}
	return answers.Encode(said)
}

func (r request) build(with kustomize.Lazy, files []tree.File) (said answer, err error) {
	root, err := tree.ParseDir(r.Root)
	if err != nil {
		return said, err
	}
	if r.Directory != "" {
		dir, err := tree.ParseDir(r.Directory)
		if err != nil {
			return said, err
		}
		said.Nested, err = with.Nested(root, dir, files)
		return said, err
	}
	var units []tree.Path
	for _, unit := range r.Units {
		path, err := tree.ParsePath(unit)
		if err != nil {
			return said, err
		}
		units = append(units, path)
	}
	return said, with.Units(root, units, files)
}
