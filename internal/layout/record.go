package layout

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	yamlv2 "go.yaml.in/yaml/v2"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// recordsDir is the directory for the records. In mode none, Kratix stores its own lists of files
// there.
const recordsDir = ".kratix"

// Annotations that keep a record from being applied to a cluster, by kustomize and by Argo CD.
const (
	localConfigAnnotation = "config.kubernetes.io/local-config"
	argoHookAnnotation    = "argocd.argoproj.io/hook"
)

// ownerAnnotation is the annotation with the controller ID of the process that wrote the placement.
const ownerAnnotation = "kratix-schedule.io/owner"

// bytesAnnotation is the annotation with the length of a placement's part of a joined file, in
// bytes.
const bytesAnnotation = "kratix-schedule.io/bytes"

// record is the form in which a record is stored: a WorkPlacement without its contents, and a list
// of files. The fields are in the order of their names in YAML, as sigs.k8s.io/yaml writes them.
type record struct {
	APIVersion string         `yaml:"apiVersion"`
	Files      []tree.Path    `yaml:"files"`
	Kind       string         `yaml:"kind"`
	Metadata   recordMetadata `yaml:"metadata"`
	RolledBack []RolledBack   `yaml:"rolledBack,omitempty"`
	Rollout    *Rollout       `yaml:"rollout,omitempty"`
	Shared     []SharedObject `yaml:"shared,omitempty"`
	Spec       recordSpec     `yaml:"spec"`
}

type recordMetadata struct {
	Annotations map[string]string `yaml:"annotations,omitempty"`
	Labels      map[string]string `yaml:"labels,omitempty"`
	Name        string            `yaml:"name"`
	Namespace   string            `yaml:"namespace"`
}

// recordSpec is the spec of a WorkPlacement without its contents and generation. The generation
// changes with every run of a pipeline, so it would cause commits without changed files.
type recordSpec struct {
	ID                    string `yaml:"id,omitempty"`
	PromiseName           string `yaml:"promiseName,omitempty"`
	ResourceName          string `yaml:"resourceName,omitempty"`
	TargetDestinationName string `yaml:"targetDestinationName,omitempty"`
}

// SharedObject is an object that several placements share. It is in the files of one of them.
type SharedObject struct {
	APIVersion string `json:"apiVersion" yaml:"apiVersion"`
	Kind       string `json:"kind" yaml:"kind"`
	Name       string `json:"name" yaml:"name"`
	Namespace  string `json:"namespace,omitempty" yaml:"namespace,omitempty"`
	// Owners are the names of the placements, sorted.
	Owners []string `json:"owners" yaml:"owners"`
}

// RecordsDir returns the directory of a Destination's records. An error means that the
// Destination's path is invalid.
func RecordsDir(d *kratix.Destination) (tree.Path, error) {
	base, err := Base(d)
	return base.Join(segment(recordsDir)), err
}

// NewRecord returns the file with the record of a placement. It returns an error if the record has
// no valid path or cannot be marshalled.
func NewRecord(d *kratix.Destination, p *kratix.WorkPlacement, rendering Rendering) (tree.File, error) {
	path, err := RecordPath(d, p)
	if err != nil {
		return tree.File{}, err
	}
	content, err := marshalRecord(recordOf(p, rendering))
	if err != nil {
		return tree.File{}, fmt.Errorf("record %s: %w", p.Name, err)
	}
	return tree.File{Path: path, Content: content}, nil
}

func marshalRecord(r record) ([]byte, error) {
	if content, ok := appendRecord(make([]byte, 0, 1024), &r); ok {
		return bytes.Clone(content), nil
	}
	content, err := yamlv2.Marshal(r)
	return bytes.Clone(content), err // without the unused capacity of the encoder's buffer
}

func recordOf(p *kratix.WorkPlacement, rendering Rendering) record {
	r := record{
		APIVersion: kratix.APIVersion,
		Kind:       kratix.WorkPlacementKind,
		Metadata: recordMetadata{
			Name: p.Name, Namespace: p.Namespace, Labels: p.Labels,
			Annotations: map[string]string{localConfigAnnotation: "true", argoHookAnnotation: "Skip"},
		},
		Spec: recordSpec{
			ID: p.Spec.ID, PromiseName: p.Spec.PromiseName, ResourceName: p.Spec.ResourceName, TargetDestinationName: p.Spec.TargetDestinationName,
		},
		Files: make([]tree.Path, 0, len(rendering.Files)), Shared: rendering.Shared, RolledBack: rendering.RolledBack, Rollout: rendering.Rollout,
	}
	for _, file := range rendering.Files {
		r.Files = append(r.Files, file.Path)
	}
	if rendering.Owner != "" {
		r.Metadata.Annotations[ownerAnnotation] = rendering.Owner
	}
	if rendering.Joined {
		r.Files = slices.Compact(r.Files)
		r.Metadata.Annotations[bytesAnnotation] = strconv.Itoa(size(rendering.Files))
	}
	return r
}

// Record is a parsed record.
type Record struct {
	// Placement is the placement without its contents. It is nil if the file is one of Kratix's own
	// lists of files in mode none.
	Placement *kratix.WorkPlacement
	// Files are the paths of the placement's files.
	Files []tree.Path
	// Joined means that the files are parts of a joined file. Bytes is then the length of the
	// placement's part.
	Joined bool
	Bytes  int
	// Shared are the objects that the placement shares with other placements.
	Shared []SharedObject
	// RolledBack are the contents of the placement that were rolled back, the latest content last.
	RolledBack []RolledBack
	// Rollout is the mark of the rollout that has written the content, or nil.
	Rollout *Rollout
	// Owner is the controller ID of the writer, or empty.
	Owner string
}

// errNotRecord is the error about a file that is not a record.
var errNotRecord = errors.New("it is not a record of a WorkPlacement")

// ParseRecord parses a record, or a list of files of Kratix. Its errors wrap errNotRecord.
func ParseRecord(content []byte) (Record, error) {
	if record, ok := quickRecord(string(content)); ok {
		return record, nil
	}
	return parseRecord(content)
}

func isRecord(p *kratix.WorkPlacement) bool {
	return p.Kind == kratix.WorkPlacementKind && p.Name != "" && p.Spec.TargetDestinationName != "" && p.Labels[kratix.WorkLabel] != ""
}

// parseRecord parses a record in any form of YAML.
func parseRecord(content []byte) (Record, error) {
	var r struct {
		kratix.WorkPlacement
		Files      []string       `json:"files"`
		Shared     []SharedObject `json:"shared"`
		RolledBack []RolledBack   `json:"rolledBack"`
		Rollout    *Rollout       `json:"rollout"`
	}
	if err := yaml.Unmarshal(content, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", errNotRecord, err)
	}
	read := Record{Files: make([]tree.Path, 0, len(r.Files)), Shared: r.Shared, RolledBack: r.RolledBack, Rollout: r.Rollout}
	isKratixs := r.Kind == "" && r.APIVersion == "" && len(r.Files) > 0
	for _, file := range r.Files {
		if isKratixs {
			file = strings.TrimPrefix(file, "/") // Kratix writes a leading slash if the Destination's path has one
		}
		p, err := tree.ParsePath(file)
		if err != nil {
			return Record{}, fmt.Errorf("%w: %w", errNotRecord, err)
		}
		read.Files = append(read.Files, p)
	}
	if isKratixs {
		return read, nil
	}
	if !isRecord(&r.WorkPlacement) {
		return Record{}, errNotRecord
	}
	if length, joined := r.Annotations[bytesAnnotation]; joined {
		n, err := strconv.Atoi(length)
		if err != nil || n < 0 {
			return Record{}, fmt.Errorf("%w: its part has the length %q", errNotRecord, length)
		}
		read.Joined, read.Bytes = true, n
	}
	read.Owner = r.Annotations[ownerAnnotation]
	placement := r.WorkPlacement // a copy, so that the parsed list of files can be garbage-collected
	placement.Annotations = nil
	read.Placement = &placement
	return read, nil
}
