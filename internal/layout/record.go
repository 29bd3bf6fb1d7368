package layout

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

// recordsDir is where Kratix keeps its own state in mode none; records of every
// mode lie there, outside of what Flux builds in mode nestedByMetadata.
const recordsDir = ".kratix"

// The annotations that keep a record out of a cluster: the first for kustomize
// and so for Flux, the second for Argo CD.
const (
	localConfigAnnotation = "config.kubernetes.io/local-config"
	argoHookAnnotation    = "argocd.argoproj.io/hook"
)

// ownerAnnotation holds the id of who wrote a placement, if that has one.
const ownerAnnotation = "kratix-schedule.io/owner"

// bytesAnnotation holds the length of a placement's part of a joined file.
const bytesAnnotation = "kratix-schedule.io/bytes"

// record is a WorkPlacement without its contents, and the list of its files
// that Kratix writes in mode none.
type record struct {
	APIVersion string                   `json:"apiVersion"`
	Kind       string                   `json:"kind"`
	Metadata   recordMetadata           `json:"metadata"`
	Spec       kratix.WorkPlacementSpec `json:"spec"`
	Files      []tree.Path              `json:"files"`
	Shared     []SharedObject           `json:"shared,omitempty"`
}

// SharedObject is an object that several placements want, and that lies in the
// files of one of them.
type SharedObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	// Owners are the placements, in order.
	Owners []string `json:"owners"`
}

type recordMetadata struct {
	Name        string            `json:"name"`
	Namespace   string            `json:"namespace"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// RecordsDir returns the directory of a Destination's records.
func RecordsDir(d *kratix.Destination) (tree.Path, error) {
	base, err := Base(d)
	return base.Join(segment(recordsDir)), err
}

// NewRecord returns the record of a placement, at RecordPath. The store is the
// only memory of what is placed where.
func NewRecord(d *kratix.Destination, p *kratix.WorkPlacement, rendering Rendering) (tree.File, error) {
	path, err := RecordPath(d, p)
	if err != nil {
		return tree.File{}, err
	}
	content, err := yaml.Marshal(recordOf(p, rendering))
	if err != nil {
		return tree.File{}, fmt.Errorf("record %s: %w", p.Name, err)
	}
	return tree.File{Path: path, Content: bytes.Clone(content)}, nil // the encoder leaves much room behind it
}

func recordOf(p *kratix.WorkPlacement, rendering Rendering) record {
	r := record{
		APIVersion: kratix.APIVersion,
		Kind:       kratix.WorkPlacementKind,
		Metadata: recordMetadata{
			Name: p.Name, Namespace: p.Namespace, Labels: maps.Clone(p.Labels),
			Annotations: map[string]string{localConfigAnnotation: "true", argoHookAnnotation: "Skip"},
		},
		Spec:  p.Spec,
		Files: make([]tree.Path, 0, len(rendering.Files)), Shared: rendering.Shared,
	}
	// The contents lie beside the record. The generation changes with every run
	// of a pipeline, even one that changes no file: that is no reason to commit.
	r.Spec.Workloads, r.Spec.Generation = nil, 0
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

// Record is what a store remembers of a placement.
type Record struct {
	// Placement has no contents. It is nil in what Kratix itself writes in mode
	// none: that lists files and says no more.
	Placement *kratix.WorkPlacement
	// Files are the placement's.
	Files []tree.Path
	// Joined reports whether the files are parts of one joined file, and Bytes is
	// the length of the placement's part.
	Joined bool
	Bytes  int
	// Shared are the objects that it had in common with others.
	Shared []SharedObject
	// Owner is the id of who wrote it; empty when that has none.
	Owner string
}

// errNotRecord is a file among the records that is something else.
var errNotRecord = errors.New("it is no record of a WorkPlacement")

// ParseRecord reads a record back.
func ParseRecord(content []byte) (Record, error) {
	var r struct {
		kratix.WorkPlacement
		Files  []string       `json:"files"`
		Shared []SharedObject `json:"shared"`
	}
	if err := yaml.Unmarshal(content, &r); err != nil {
		return Record{}, fmt.Errorf("%w: %w", errNotRecord, err)
	}
	read := Record{Files: make([]tree.Path, 0, len(r.Files)), Shared: r.Shared}
	isKratixs := r.Kind == "" && r.APIVersion == "" && len(r.Files) > 0
	for _, file := range r.Files {
		if isKratixs {
			file = strings.TrimPrefix(file, "/") // of a Destination whose path is "/" or "/x"
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
	if r.Kind != kratix.WorkPlacementKind || r.Name == "" || r.Spec.TargetDestinationName == "" || r.Labels[kratix.WorkLabel] == "" {
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
	placement := r.WorkPlacement // alone: the list of files beside it is not needed any more
	placement.Annotations = nil
	read.Placement = &placement
	return read, nil
}
