package reconcile

import (
	"slices"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func (f *fights) wrote(piece *desired, outcome statestore.Outcome) {
	if f.now.IsZero() || piece.state.Stepwise {
		return
	}
	acknowledged := outcome.Err == nil && !piece.state.WriteInProgress && outcome.Revision != piece.state.Revision
	for i, o := range piece.outcomes {
		d := piece.destinations[i]
		marks := f.marks(d, o.changes, acknowledged)
		if len(marks) == 0 {
			continue
		}
		if f.of == nil {
			f.of = map[destinationKey]*fight{}
		}
		key := destinationKey{piece.ref, d.Name}
		if f.of[key] == nil {
			f.of[key] = &fight{}
		}
		f.of[key].wrote(marks)
	}
}

func (f *fights) marks(d *destinationView, changes fileChanges, confirmed bool) []mark {
	dir, err := layout.RecordsDir(d.Destination)
	ledger, errLedger := layout.LedgerPath(d.Destination)
	if err != nil || errLedger != nil {
		return nil
	}
	var records, manifests []mark
	for i, file := range changes.Write {
		m := mark{path: file.Path, record: file.Path.Within(dir), at: f.now, confirmed: confirmed}
		switch {
		case file.Path == ledger:
			continue
		case m.record && len(records) < maxMarks/2:
			m.content = content{changes.digests[i], true}
			records = append(records, m)
		case !m.record && len(manifests) < maxMarks/2:
			m.content = content{changes.digests[i], true}
			manifests = append(manifests, m)
		}
	}
	for _, path := range changes.Remove {
		if path.Within(dir) && path != ledger && len(records) < maxMarks/2 {
			records = append(records, mark{path: path, record: true, at: f.now, confirmed: confirmed})
		}
	}
	return slices.Concat(manifests, records)
}
