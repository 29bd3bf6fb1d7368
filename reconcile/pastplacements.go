package reconcile

import (
	"context"
	"errors"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/kustomize"
)

type pastPlacements struct {
	*delivering
	then *pastState
	// parts are the parts of the joined file by the path of the record. It is nil until the file is
	// divided.
	parts map[tree.Path][]byte
}

func (d *delivering) placementsAt(then *pastState) *pastPlacements {
	return &pastPlacements{delivering: d, then: then}
}

var errDivided = errors.New("the joined file does not match the records of its parts")

// files returns the files of a placement, or none if it had no record. For a joined file, it
// returns the placement's part.
func (p *pastPlacements) files(ctx context.Context, of *recordView) ([]tree.File, error) {
	record, err := p.record(ctx, of)
	if err != nil || record == nil {
		return nil, err
	}
	var files []tree.File
	for _, path := range slices.Compact(slices.Clone(record.Files)) {
		content, err := p.read(ctx, path, record.Joined, of)
		if err != nil {
			return nil, err
		}
		files = append(files, tree.File{Path: path, Content: content})
	}
	return files, nil
}

func (p *pastPlacements) record(ctx context.Context, of *recordView) (*layout.Record, error) {
	for _, path := range of.paths() {
		if !p.then.files.Has(path) {
			continue
		}
		record, err := p.recordAt(ctx, path)
		if err != nil {
			return nil, err
		}
		if record.Placement != nil && groupOf(record.Placement) == groupOf(of.Placement) {
			return record, nil
		}
	}
	return nil, nil
}

// recordAt returns the record at a path, or a record without a placement if the file is not a
// record.
func (p *pastPlacements) recordAt(ctx context.Context, path tree.Path) (*layout.Record, error) {
	if now, known := p.currentRecords()[path]; known {
		digest, _ := p.store.state.Files.Digest(path)
		if then, _ := p.then.files.Digest(path); then == digest {
			return now.Record, nil
		}
	}
	content, err := p.content(ctx, p.then, path)
	if err != nil {
		return nil, err
	}
	if record, err := layout.ParseRecord(content); err == nil {
		return &record, nil
	}
	return &layout.Record{}, nil
}

// read returns a file or, if isJoined is set, the placement's part of the joined file.
func (p *pastPlacements) read(ctx context.Context, path tree.Path, isJoined bool, of *recordView) ([]byte, error) {
	content, err := p.content(ctx, p.then, path)
	if err != nil || !isJoined {
		return content, err
	}
	if p.parts == nil {
		if p.parts, err = p.divide(ctx, content); err != nil {
			return nil, err
		}
	}
	part, has := p.parts[of.path]
	if !has {
		return nil, errDivided
	}
	return part, nil
}

func (p *pastPlacements) divide(ctx context.Context, whole []byte) (map[tree.Path][]byte, error) {
	dir, err := layout.RecordsDir(p.Destination)
	if err != nil {
		return nil, err
	}
	var records []layout.Record
	paths := map[*kratix.WorkPlacement]tree.Path{}
	for path := range p.then.files.Below(dir) {
		record, err := p.recordAt(ctx, path)
		if err != nil {
			return nil, err
		}
		if record.Placement != nil {
			records, paths[record.Placement] = append(records, *record), path
		}
	}
	parts := map[tree.Path][]byte{}
	for placement, part := range layout.Split(whole, records) {
		parts[paths[placement]] = part
	}
	return parts, nil
}

// plainFiles returns the files of a placement in the root. It returns none if they cannot be read
// or include a kustomization, which may rename objects.
func (p *pastPlacements) plainFiles(ctx context.Context, of *recordView) []tree.File {
	files, err := p.files(ctx, of)
	if err != nil || slices.ContainsFunc(files, func(f tree.File) bool { return kustomize.IsKustomization(f.Path) }) {
		return nil
	}
	return slices.DeleteFunc(files, func(f tree.File) bool { return !f.Path.Within(p.root) })
}
