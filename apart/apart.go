// Package apart has kustomize build directories in a process of its own: the
// same program, started anew for one build. kustomize cannot be stopped, and a
// small kustomization can be made to take all memory or time there is; a process
// can be ended, and others go on.
package apart

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/kratix-schedule/kratix-schedule/kustomize"
	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Argument is the only argument of a program that is to call Serve.
const Argument = "__kustomize-build"

// Builder starts a program for each build.
type Builder struct {
	// Program is the path of the program, which calls Serve.
	Program string
	// Patience is how long a build may take; nothing is two minutes.
	Patience time.Duration
	// Stop ends all builds when it is closed; nil never does.
	Stop <-chan struct{}
}

var _ kustomize.Builder = Builder{}

// defaultPatience is how long a build may take.
const defaultPatience = 2 * time.Minute

// request is what a process is asked, in JSON on its standard input.
type request struct {
	Root string `json:"root"`
	// Directory is asked for its objects; if there is none, units are built.
	Directory string   `json:"directory,omitempty"`
	Units     []string `json:"units,omitempty"`
	// Roots are built one after the other, if there are any.
	Roots []string `json:"roots,omitempty"`
	Files []file   `json:"files"`
}

type file struct {
	Path    string `json:"path"`
	Content []byte `json:"content"`
}

// answer is what it says, in JSON on its standard output.
type answer struct {
	Nested kustomize.Nested `json:"nested"`
	// Failed is the error's text; nothing when there is none.
	Failed string `json:"failed,omitempty"`
	// Remote tells that the error is kustomize.ErrRemote.
	Remote bool `json:"remote,omitempty"`
}

// Nested does what kustomize.BuildNested does.
func (b Builder) Nested(root, dir tree.Path, files []tree.File) (kustomize.Nested, error) {
	return b.ask(request{Root: root.String(), Directory: dir.String(), Files: packed(files)})
}

// Units does what kustomize.BuildUnits does.
func (b Builder) Units(root tree.Path, units []tree.Path, files []tree.File) error {
	ask := request{Root: root.String(), Files: packed(files)}
	for _, unit := range units {
		ask.Units = append(ask.Units, unit.String())
	}
	_, err := b.ask(ask)
	return err
}

func packed(files []tree.File) []file {
	some := make([]file, 0, len(files))
	for _, f := range files {
		some = append(some, file{f.Path.String(), f.Content})
	}
	return some
}

func (b Builder) ask(ask request) (kustomize.Nested, error) {
	patience := b.patience()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	defer b.stopWith(cancel)()
	question, err := json.Marshal(ask)
	if err != nil {
		return kustomize.Nested{}, fmt.Errorf("ask for a build: %w", err)
	}
	process := exec.CommandContext(ctx, b.Program, Argument)
	process.Stdin = bytes.NewReader(question)
	process.WaitDelay = time.Second
	var out bytes.Buffer
	process.Stdout = &out
	err = process.Run()
	if errors.Is(ctx.Err(), context.Canceled) {
		return kustomize.Nested{}, errStopped
	}
	if ctx.Err() != nil {
		return kustomize.Nested{}, fmt.Errorf("kustomize did not come to an end in %s", patience)
	}
	var said answer
	if err != nil || json.Unmarshal(out.Bytes(), &said) != nil {
		return kustomize.Nested{}, fmt.Errorf("kustomize was ended by its limits: %w", errors.Join(err, errNoAnswer))
	}
	return said.Nested, said.err()
}

func (b Builder) patience() time.Duration { return cmp.Or(b.Patience, defaultPatience) }

// stopWith calls cancel when all builds are to end, until forget is called.
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

var errNoAnswer = errors.New("it gave no answer")

// failure is kustomize's error, from another process.
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

// Serve answers one Builder: it reads what to build and writes what became of
// it. The process that calls it must do nothing else.
func Serve(in io.Reader, out io.Writer) error {
	endWithParent()
	if err := limitMemory(); err != nil {
		return fmt.Errorf("limit the memory: %w", err)
	}
	var ask request
	if err := json.NewDecoder(in).Decode(&ask); err != nil {
		return fmt.Errorf("read what to build: %w", err)
	}
	if len(ask.Roots) > 0 {
		return ask.serveRoots(out)
	}
	said, err := ask.build()
	if err != nil {
		said.Failed, said.Remote = err.Error(), errors.Is(err, kustomize.ErrRemote)
	}
	return json.NewEncoder(out).Encode(said)
}

func (r request) files() ([]tree.File, error) {
	files := make([]tree.File, 0, len(r.Files))
	for _, f := range r.Files {
		path, err := tree.ParsePath(f.Path)
		if err != nil {
			return nil, err
		}
		files = append(files, tree.File{Path: path, Content: f.Content})
	}
	return files, nil
}

func (r request) build() (said answer, err error) {
	root, err := tree.ParseDir(r.Root)
	if err != nil {
		return said, err
	}
	files, err := r.files()
	if err != nil {
		return said, err
	}
	if r.Directory != "" {
		dir, err := tree.ParseDir(r.Directory)
		if err != nil {
			return said, err
		}
		said.Nested, err = kustomize.BuildNested(root, dir, files)
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
	return said, kustomize.BuildUnits(root, units, files)
}
