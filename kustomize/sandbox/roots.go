package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

var errStopped = errors.New("the build was interrupted")

// Roots builds directories as roots in separate processes, and passes each result to the callback
// each. It returns an error if ctx ends.
func (b Builder) Roots(ctx context.Context, dirs []tree.Path, files []tree.File, each func(dir tree.Path, built kustomize.BuiltRoot)) error {
	for len(dirs) > 0 {
		done, err := b.roots(ctx, dirs, files, each)
		if ctx.Err() != nil {
			return fmt.Errorf("%w: %w", errStopped, ctx.Err())
		}
		dirs = dirs[done:]
		if err == nil || len(dirs) == 0 {
			continue
		}
		each(dirs[0], kustomize.BuiltRoot{Failed: err.Error()})
		dirs = dirs[1:]
	}
	return nil
}

func (b Builder) roots(ctx context.Context, dirs []tree.Path, files []tree.File, each func(tree.Path, kustomize.BuiltRoot)) (done int, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var ask request
	for _, dir := range dirs {
		ask.Roots = append(ask.Roots, dir.String())
	}
	process, err := b.start(ctx, ask, files)
	if err != nil {
		return 0, err
	}
	patience := b.patience()
	late := fmt.Errorf("kustomize did not come to an end in %s", patience)
	timer := time.AfterFunc(patience, func() { cancel(late) })
	defer timer.Stop()
	for ; done < len(dirs); done++ {
		said, failed := process.next()
		if failed != nil || said.Built == nil {
			err = errNoAnswer
			break
		}
		timer.Reset(patience)
		each(dirs[done], *said.Built)
	}
	timer.Stop()
	ended := process.end()
	switch {
	case errors.Is(context.Cause(ctx), late):
		return done, late
	case err != nil:
		return done, b.ended(errors.Join(ended, err))
	}
	return done, nil
}

func (r request) serveRoots(with kustomize.Lazy, files []tree.File, answers *json.Encoder) error {
	for _, root := range r.Roots {
		dir, err := tree.ParseDir(root)
		if err != nil {
			return err
		}
		built := with.Root(dir, files)
		if err := answers.Encode(answer{Built: &built}); err != nil {
			return err
		}
	}
	return nil
}
