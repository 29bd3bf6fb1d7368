package worker

import (
	"context"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// after returns the state that base will have once the changes are written.
func after(base statestore.State, changes statestore.ChangeSet) statestore.State {
	contents := written{Contents: base.Contents, files: make(map[tree.Path][]byte, len(changes.Write))}
	var differ []statestore.FileChange
	for _, path := range changes.Remove {
		differ = append(differ, statestore.FileChange{Path: path, Gone: true})
	}
	for _, file := range changes.Write {
		differ = append(differ, statestore.FileChange{Path: file.Path, Digest: base.Contents.Digest(file.Content)})
		contents.files[file.Path] = file.Content
	}
	base.Files, base.Contents, base.WriteInProgress = base.Files.With(differ), contents, true
	return base
}

// written has the contents of a state, including those of files that are being written.
type written struct {
	statestore.Contents
	files map[tree.Path][]byte
}

func (w written) Content(ctx context.Context, p tree.Path) ([]byte, error) {
	if content, ok := w.files[p]; ok {
		return content, nil
	}
	return w.Contents.Content(ctx, p)
}
