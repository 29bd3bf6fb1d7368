package layout

import (
	"errors"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// decode unpacks workloads. It returns a finding for each workload without a usable file.
func decode(object string, workloads []kratix.Workload) ([]File, []finding.Finding) {
	var files []File
	var findings []finding.Finding
	taken := map[tree.Path]struct{}{}
	for _, workload := range workloads {
		file, err := decodeOne(workload)
		if err == nil {
			if _, twice := taken[file.Path]; twice {
				err = errTwice
			}
			taken[file.Path] = struct{}{}
		}
		if err != nil {
			place := finding.Place{Object: object, File: workload.Filepath}
			findings = append(findings, finding.Finding{Rule: RuleOf(err), Place: place, Message: err.Error(), Cause: causeOf(err)})
			continue
		}
		files = append(files, file)
	}
	return files, findings
}

var errTwice = errors.New("two workloads of the group have this filepath")

func decodeOne(workload kratix.Workload) (File, error) {
	path, err := tree.ParsePath(workload.Filepath)
	if err != nil {
		return File{}, err
	}
	content, err := kratix.Decode(workload.Content)
	if err != nil {
		return File{}, err
	}
	return File{File: tree.File{Path: path, Content: content}, Workload: workload.Filepath}, nil
}

func causeOf(err error) finding.Cause {
	if errors.Is(err, kratix.ErrTooLarge) {
		return finding.TooLarge
	}
	return ""
}

// RuleOf returns the rule of the finding about an error of Render or of a path.
func RuleOf(err error) finding.Rule {
	switch {
	case errors.Is(err, tree.ErrLong):
		return finding.UnstorablePath()
	case errors.Is(err, tree.ErrPath):
		return finding.UnsafePath()
	case errors.Is(err, kratix.ErrContent):
		return finding.UndecodableContent()
	}
	return finding.InvalidObject()
}
