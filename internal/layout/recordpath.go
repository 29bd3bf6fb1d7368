package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

const recordEnding = ".yaml"

// maxReadable is the maximum length of the readable part of a record's file name, in bytes. With
// the digest and the extension, the file name has less than 255 bytes.
const maxReadable = 200

// RecordPath returns the path of a placement's record:
//
//	<destination>/.kratix/<2 digits>.kratix/<namespace>-<name>.<digest>.yaml
//	<destination>/.kratix/<namespace>-<name>.yaml                             in mode none
//
// The digest is computed from the namespace, the name and the group's id. Its first two digits
// distribute the records over 256 directories, because git rewrites the whole list of a directory
// with each commit. In mode none, Kratix itself uses this path for its list of files.
//
// RecordPath returns an error if the Destination's path is invalid, or if the namespace or the name
// cannot be part of a path.
func RecordPath(d *kratix.Destination, p *kratix.WorkPlacement) (tree.Path, error) {
	if d.FilepathMode() == kratix.None {
		return FlatRecordPath(d, p)
	}
	return shardedRecordPath(d, p)
}

func shardedRecordPath(d *kratix.Destination, p *kratix.WorkPlacement) (tree.Path, error) {
	dir, err := RecordsDir(d)
	if err != nil {
		return tree.Path{}, err
	}
	digest := recordDigest(p)
	name, err := named{"the placement's name", readable(p.Namespace+"-"+p.Name) + "." + digest + recordEnding}.path()
	return dir.Join(segment(digest[:2] + recordsDir)).Join(name), err
}

// RecordPaths returns all paths at which a placement's record may be, in any filepath mode and as
// written by any version of this program.
func RecordPaths(d *kratix.Destination, p *kratix.WorkPlacement) []tree.Path {
	var paths []tree.Path
	for _, of := range []func(*kratix.Destination, *kratix.WorkPlacement) (tree.Path, error){shardedRecordPath, FlatRecordPath} {
		if path, err := of(d, p); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// FlatRecordPath returns the path of a record in mode none. Earlier versions of this program used
// it in every mode. Two placements may have the same path.
func FlatRecordPath(d *kratix.Destination, p *kratix.WorkPlacement) (tree.Path, error) {
	dir, err := RecordsDir(d)
	if err != nil {
		return tree.Path{}, err
	}
	name, err := named{"the placement's name", p.Namespace + "-" + p.Name + recordEnding}.path()
	return dir.Join(name), err
}

// recordDigest returns 16 hexadecimal digits that identify a placement.
func recordDigest(p *kratix.WorkPlacement) string {
	sum := sha256.Sum256([]byte(p.Namespace + "/" + p.Name + "/" + p.Spec.ID))
	return hex.EncodeToString(sum[:8])
}

// readable returns the longest prefix of a name that fits into the file name of a record.
func readable(name string) string {
	if len(name) <= maxReadable {
		return name
	}
	end := maxReadable
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return name[:end]
}

// RecordBase returns the directory of the Destination to which a record at this path belongs. It
// returns false if no record can have the path.
func RecordBase(p tree.Path) (tree.Path, bool) {
	dir := p.Dir()
	if isShard(dir.Base()) {
		dir = dir.Dir()
	}
	return dir.Dir(), dir.Base() == recordsDir && strings.HasSuffix(p.Base(), recordEnding)
}

// isShard reports whether the name has the form of the 256 directories for records.
func isShard(name string) bool {
	digits, ok := strings.CutSuffix(name, recordsDir)
	return ok && len(digits) == len("00")
}

// ModeOf returns the filepath mode in which a record was written, according to its path and its
// list of files. If two modes are possible, the Destination's current mode is preferred.
func ModeOf(d *kratix.Destination, path tree.Path, r *Record) string {
	switch {
	case r.Placement == nil:
		return kratix.None
	case r.Joined:
		return kratix.AggregatedYAML
	case isShard(path.Dir().Base()):
		return kratix.NestedByMetadata
	case d.FilepathMode() == kratix.None || !r.within(DirIn(d, r.Placement)):
		return kratix.None
	}
	return kratix.NestedByMetadata
}

// DirIn returns the directory that a placement has in mode nestedByMetadata, or the zero Path if
// its names are not valid in a path.
func DirIn(d *kratix.Destination, p *kratix.WorkPlacement) tree.Path {
	base, err := Base(d)
	if err != nil {
		return tree.Path{}
	}
	rendering, err := renderNested(d, base, p, nil)
	if err != nil {
		return tree.Path{}
	}
	return rendering.Dir
}

// DirOf returns the directory that belongs to the placement alone. It returns the zero Path if the
// Destination's mode has no such directory, or a name is not valid in a path.
func DirOf(d *kratix.Destination, p *kratix.WorkPlacement) tree.Path {
	if d.FilepathMode() != kratix.NestedByMetadata {
		return tree.Path{}
	}
	return DirIn(d, p)
}

// within reports whether all files of the record are in dir. No file is in the zero Path.
func (r *Record) within(dir tree.Path) bool {
	return !slices.ContainsFunc(r.Files, func(file tree.Path) bool { return dir.IsRoot() || !file.Within(dir) })
}
