package oci

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// These are media types in artifacts: FluxConfig of the configuration, FluxContent and OCILayer of
// layers.
const (
	FluxConfig  = "application/vnd.cncf.flux.config.v1+json"
	FluxContent = "application/vnd.cncf.flux.content.v1.tar+gzip"
	OCILayer    = ocispec.MediaTypeImageLayerGzip
)

// These are annotations of manifests.
const (
	// previousAnnotation has the digest of the previous artifact.
	previousAnnotation = "kratix-schedule.io/previous"
	// generationAnnotation has the number of the artifact in its repository.
	generationAnnotation = "kratix-schedule.io/generation"
	// writeAnnotation has a random text, so that artifacts of different writers have different
	// digests.
	writeAnnotation = "kratix-schedule.io/write"
	// filesAnnotation has the paths of the changed files, one per line, without records. It is
	// missing if it would be too long.
	filesAnnotation = "kratix-schedule.io/files"
)

// maxFilesAnnotation is the maximum size of filesAnnotation in bytes. Registries limit the size of
// manifests.
const maxFilesAnnotation = 32 << 10

// configContent is the configuration of all artifacts.
const configContent = "{}"

// artifact is one version of a repository.
type artifact struct {
	digest   digest.Digest
	previous digest.Digest
	// generation is the number of the artifact in its repository, or 0 if it is unknown.
	generation int
	created    time.Time
	// changed are the files that the artifact has changed. They are unknown unless named is set.
	changed []tree.Path
	named   bool
	config  digest.Digest
	layer   ocispec.Descriptor
}

// parseArtifact returns the artifact of a manifest. dir is the directory of the store.
func parseArtifact(of digest.Digest, read *ocispec.Manifest, dir tree.Path) (*artifact, error) {
	if len(read.Layers) != 1 {
		return nil, fmt.Errorf("%w: it has %d layers", errForeign, len(read.Layers))
	}
	layer := read.Layers[0]
	if !slices.Contains([]string{FluxContent, OCILayer, "application/vnd.docker.image.rootfs.diff.tar.gzip"}, layer.MediaType) {
		return nil, fmt.Errorf("%w: its layer has the media type %q", errForeign, layer.MediaType)
	}
	if err := layer.Digest.Validate(); err != nil || layer.Digest.Algorithm() != digest.SHA256 {
		return nil, fmt.Errorf("%w: its layer has no SHA-256 digest", errForeign)
	}
	made := &artifact{digest: of, config: read.Config.Digest, layer: layer}
	if previous := digest.Digest(read.Annotations[previousAnnotation]); previous.Validate() == nil && previous.Algorithm() == digest.SHA256 {
		made.previous = previous
	}
	made.generation, _ = strconv.Atoi(read.Annotations[generationAnnotation])
	made.generation = min(max(0, made.generation), maxGeneration)
	made.created, _ = time.Parse(time.RFC3339, read.Annotations[ocispec.AnnotationCreated])
	text, named := read.Annotations[filesAnnotation]
	made.named = named && len(text) <= maxFilesAnnotation
	for name := range strings.SplitSeq(text, "\n") {
		if path, err := tree.ParsePath(name); err == nil && made.named {
			made.changed = append(made.changed, dir.Join(path))
		}
	}
	return made, nil
}

// maxGeneration is the maximum generation of a parsed artifact.
const maxGeneration = 1 << 40

// next returns the artifact after base, and its manifest. For the first artifact, base is nil.
func (s *Store) next(base *artifact, layer ocispec.Descriptor, changes statestore.ChangeSet) (*artifact, []byte, error) {
	made := &artifact{generation: 1, layer: layer, config: digestOf([]byte(configContent))}
	annotations := map[string]string{
		ocispec.AnnotationCreated:  s.config.Now().UTC().Truncate(time.Second).Format(time.RFC3339),
		ocispec.AnnotationRevision: layer.Digest.String(),
		ocispec.AnnotationSource:   s.source(),
		writeAnnotation:            rand.Text(),
	}
	if base != nil {
		made.generation, made.previous = base.generation+1, base.digest
		annotations[previousAnnotation] = base.digest.String()
	}
	annotations[generationAnnotation] = strconv.Itoa(made.generation)
	if names, ok := s.changedFiles(changes); ok {
		annotations[filesAnnotation] = names
	}
	content, err := json.Marshal(ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: descriptor(FluxConfig, []byte(configContent)), Layers: []ocispec.Descriptor{layer}, Annotations: annotations,
	})
	made.digest = digestOf(content)
	return made, content, err
}

func (s *Store) source() string {
	if s.config.Writer == "" {
		return "kratix-schedule"
	}
	return "kratix-schedule/" + s.config.Writer
}

const recordsDir = ".kratix"

// changedFiles returns the value of filesAnnotation, or false if it would be too long.
func (s *Store) changedFiles(changes statestore.ChangeSet) (string, bool) {
	var text strings.Builder
	add := func(path tree.Path) {
		if below, within := path.RelativeTo(s.dir); within && !strings.HasPrefix(below.String(), recordsDir+"/") {
			text.WriteString(below.String() + "\n")
		}
	}
	for _, file := range changes.Write {
		add(file.Path)
	}
	for _, path := range changes.Remove {
		add(path)
	}
	return strings.TrimSuffix(text.String(), "\n"), text.Len() <= maxFilesAnnotation
}
