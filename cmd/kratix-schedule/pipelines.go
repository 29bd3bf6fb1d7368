package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/printable"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
	"github.com/kratix-schedule/kratix-schedule/source/pipeline"
)

func (s *checkSource) addPipelines(snapshot *source.Snapshot) error {
	if len(s.pipelines) == 0 {
		return nil
	}
	promise, err := s.promiseOf(snapshot)
	if err != nil {
		return err
	}
	for _, path := range s.pipelines {
		path = pipelineRoot(path)
		work, err := readPipeline(path, promise)
		switch {
		case errors.Is(err, pipeline.ErrSuspended):
			_, _ = fmt.Fprintf(s.notices, "kratix-schedule: %s: %s\n", printable.Line(path), printable.Line(err.Error()))
			s.read.suspended++
		case errors.Is(err, pipeline.ErrInput):
			snapshot.Findings = append(snapshot.Findings, invalidPipeline(path, err))
		case err != nil:
			return err
		case len(work.Spec.WorkloadGroups) == 0:
			_, _ = fmt.Fprintf(s.notices, "kratix-schedule: %s: output/ is empty, so the pipeline asks for nothing\n", printable.Line(path))
			s.read.idle = append(s.read.idle, slashed(path, "output")+" is empty")
		default:
			s.pipelineFiles += countFiles(work)
			snapshot.Add(work, finding.Place{File: slashed(path, "output")})
			s.dirs[kratix.Describe(work)] = filepath.Join(path, "output")
		}
	}
	return nil
}

func countFiles(work *kratix.Work) int {
	count := 0
	for _, group := range work.Spec.WorkloadGroups {
		count += len(group.Workloads)
	}
	return count
}

// pipelineRoot returns the directory of a pipeline from the path of this directory or of its
// output.
func pipelineRoot(path string) string {
	clean := filepath.Clean(path)
	if filepath.Base(clean) == "output" && !isDir(filepath.Join(clean, "output")) {
		return filepath.Dir(clean)
	}
	return clean
}

func (s *checkSource) promiseOf(snapshot *source.Snapshot) (*kratix.Promise, error) {
	if s.promise == "" || isFile(s.promise) {
		var found []*kratix.Promise
		for _, promise := range snapshot.Promises {
			if s.promise == "" || sameFile(snapshot.Origins.Of(promise).File, s.promise) {
				found = append(found, promise)
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case s.promise != "":
			return nil, exit{code: exitUsage, text: fmt.Sprintf("--promise %s: it must hold one Promise, and holds %d", s.promise, len(found))}
		}
		return nil, exit{code: exitUsage, text: "--pipeline needs --promise: the file or the name of the Promise that the pipeline belongs to"}
	}
	for _, promise := range snapshot.Promises {
		if promise.Name == s.promise {
			return promise, nil
		}
	}
	if looksLikePath(s.promise) {
		return nil, exit{code: exitUsage, text: "--promise " + s.promise + ": no such file"}
	}
	promise := &kratix.Promise{}
	promise.Name = s.promise
	return promise, nil
}

// looksLikePath reports whether a value is probably a path and not the name of a Promise.
func looksLikePath(promise string) bool {
	return strings.ContainsAny(promise, `/\`) || strings.HasSuffix(promise, ".yaml") || strings.HasSuffix(promise, ".yml")
}

func readPipeline(path string, promise *kratix.Promise) (*kratix.Work, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", dir.ErrPath, path, unwrapped(err))
	}
	defer func() { _ = root.Close() }()
	options := pipeline.Options{Promise: promise.Name, Type: workType(path), Selector: promise.Selector()}
	if names := promise.Pipelines(options.Type); len(names) == 1 {
		options.Pipeline = names[0]
	}
	return pipeline.Read(root.FS(), options)
}

func workType(path string) string {
	content, err := os.ReadFile(filepath.Join(path, "input", "object.yaml")) //nolint:gosec // a directory given by the user
	if err != nil {
		return kratix.ResourceWorkType
	}
	parsed, err := kratix.Parse(content, 1)
	if err == nil && len(parsed) == 1 && parsed[0].Header.Kind == kratix.PromiseKind && parsed[0].Header.APIVersion == kratix.APIVersion {
		return kratix.PromiseWorkType
	}
	return kratix.ResourceWorkType
}

var placeInError = regexp.MustCompile(`((?:input|output|metadata)/[^\s:,]*)(?::? line (\d+))?`)

func invalidPipeline(path string, err error) finding.Finding {
	message := strings.TrimPrefix(err.Error(), pipeline.ErrInput.Error()+": ")
	place := finding.Place{File: slashed(path)}
	if at := placeInError.FindStringSubmatch(message); at != nil {
		place.File = slashed(path, at[1])
		place.Line, _ = strconv.Atoi(at[2]) // 0 if the error names no line
	}
	return finding.Finding{Rule: finding.InvalidPipeline(), Place: place, Message: message}
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// unwrapped returns an error without its path.
func unwrapped(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
