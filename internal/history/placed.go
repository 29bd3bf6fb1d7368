package history

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// maxRecords is the maximum number of records that are read. maxReadableName is the minimum number
// of bytes of a long placement name in the file name of a record.
const (
	maxRecords      = 10_000
	maxReadableName = 190
)

type placed struct {
	works      []string
	placements []placement
}

type placement struct {
	destination string
	record      tree.Path
	files       []tree.Path
}

func placedIn(ctx context.Context, state statestore.State, name string) (placed, error) {
	var found placed
	read := 0
	for path := range state.Files.All() {
		if _, isRecord := layout.RecordBase(path); !isRecord || !mayRecord(path.Base(), name) {
			continue
		}
		if read++; read > maxRecords {
			return found, fmt.Errorf("more than %d records may be of Work %s; name it with its namespace", maxRecords, name)
		}
		content, err := state.Contents.Content(ctx, path)
		if err != nil {
			return found, err
		}
		record, err := layout.ParseRecord(content)
		if err != nil {
			continue // a foreign file
		}
		one := placement{record: path, files: record.Files}
		if record.Placement != nil {
			work := record.Placement.Work().String()
			if !isNamed(work, name) {
				continue
			}
			one.destination = record.Placement.Spec.TargetDestinationName
			if !slices.Contains(found.works, work) {
				found.works = append(found.works, work)
			}
		}
		found.placements = append(found.placements, one)
	}
	return found, nil
}

// mayRecord reports whether a record with this file name may belong to the Work.
func mayRecord(file, name string) bool {
	namespace, work, qualified := strings.Cut(name, "/")
	if !qualified {
		return strings.Contains(file, cut("-"+name+"."))
	}
	return strings.HasPrefix(file, cut(namespace+"-"+work+"."))
}

func cut(name string) string { return name[:min(len(name), maxReadableName)] }
