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

// recordEnding is the extension of record files.
const recordEnding = ".yaml"

// maxReadable is the maximum number of bytes of names in the file name of a record. With the digest
// and the extension, the file name has less than 255 bytes.
const maxReadable = 200

// RecordPath returns the path of a placement's record:
//
//	<destination>/.kratix/<2 digits>.kratix/<namespace>-<name>.<digest>.yaml
//	<destination>/.kratix/<namespace>-<name>.yaml                             in mode none
//
// The digest is computed from the namespace, the name and the group's id, so that records do
// not collide: namespace a-b with Work c differs from namespace a with Work b-c. Its first two
// digits distribute the records over 256 directories, since git rewrites a directory's whole
// list with each commit. The ".kratix" after the digits keeps the substring
// ".kratix/<namespace>-<work>", by which people and scripts search a listing. In mode none
// Kratix itself stores the list of a placement's files at this path.
//
// The error is about the Destination's path, or a namespace or name that cannot be part of a path.
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

// RecordPaths returns all paths at which a placement's record can be, for any filepath mode and any
// version of this program.
func RecordPaths(d *kratix.Destination, p *kratix.WorkPlacement) []tree.Path {
	var paths []tree.Path
	for _, of := range []func(*kratix.Destination, *kratix.WorkPlacement) (tree.Path, error){shardedRecordPath, FlatRecordPath} {
		if path, err := of(d, p); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// FlatRecordPath returns the path at which Kratix stores the list of a placement's files in mode
// none, and at which earlier versions of this program stored the record in every mode. Two
// placements may have the same path.
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

// readable returns the prefix of a name that fits into the file name of a record.
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
// returns false if a record cannot have the path: its directory must be .kratix/ or a directory in
// it.
func RecordBase(p tree.Path) (tree.Path, bool) {
	dir := p.Dir()
	if isShard(dir.Base()) {
		dir = dir.Dir()
	}
	return dir.Dir(), dir.Base() == recordsDir && strings.HasSuffix(p.Base(), recordEnding)
}

// isShard reports whether the name of a directory is one of the 256 in .kratix/.
func isShard(name string) bool {
	digits, ok := strings.CutSuffix(name, recordsDir)
	return ok && len(digits) == len("00")
}

// ModeOf returns the filepath mode in which a record was written, judging by its path and its list
// of files. If the record is at the flat path and the files are in the directory of mode
// nestedByMetadata, it could be either mode; ModeOf then uses the Destination's current mode.
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

// DirIn returns the directory that belongs to a placement alone in mode nestedByMetadata, or the
// root if the names of the placement are not valid in a path.
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

// DirOf returns the directory on a Destination that belongs to a placement alone, or the root if
// there is none, or if the names of the placement are not valid in a path.
func DirOf(d *kratix.Destination, p *kratix.WorkPlacement) tree.Path {
	if d.FilepathMode() != kratix.NestedByMetadata {
		return tree.Path{}
	}
	return DirIn(d, p)
}

// within reports whether all files of a record are in a directory.
func (r *Record) within(dir tree.Path) bool {
	return !slices.ContainsFunc(r.Files, func(file tree.Path) bool { return dir.IsRoot() || !file.Within(dir) })
}
