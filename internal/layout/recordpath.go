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

// recordEnding ends the file name of every record.
const recordEnding = ".yaml"

// maxReadable is how many bytes of a record's file name are the names in it; with
// the digest and the ending the file name stays below 255 bytes.
const maxReadable = 200

// RecordPath returns where the record of a placement lies:
//
//	<destination>/.kratix/<2 digits>.kratix/<namespace>-<name>.<digest>.yaml
//	<destination>/.kratix/<namespace>-<name>.yaml                             in mode none
//
// The digest is of the namespace, the name and the group's id, so that no two
// placements share a record: namespace a-b and Work c are not namespace a and
// Work b-c. Its first two digits divide the records among 256 directories, since
// git writes a directory's whole list anew with each commit. The ".kratix" after
// them keeps ".kratix/<namespace>-<work>" in the path, by which people and scripts
// look for a record in a listing. In mode none the path is the one at which Kratix
// itself keeps the list of a placement's files.
//
// The error is that of a namespace or a name that no path can hold.
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

// RecordPaths returns where the record of a placement can lie, in whichever filepath
// mode and by whichever version it was written.
func RecordPaths(d *kratix.Destination, p *kratix.WorkPlacement) []tree.Path {
	var paths []tree.Path
	for _, of := range []func(*kratix.Destination, *kratix.WorkPlacement) (tree.Path, error){shardedRecordPath, FlatRecordPath} {
		if path, err := of(d, p); err == nil {
			paths = append(paths, path)
		}
	}
	return paths
}

// FlatRecordPath returns where Kratix keeps the list of a placement's files in
// mode none, and where earlier versions of this program kept the record in every
// mode. Two placements can have the same.
func FlatRecordPath(d *kratix.Destination, p *kratix.WorkPlacement) (tree.Path, error) {
	dir, err := RecordsDir(d)
	if err != nil {
		return tree.Path{}, err
	}
	name, err := named{"the placement's name", p.Namespace + "-" + p.Name + recordEnding}.path()
	return dir.Join(name), err
}

// recordDigest returns 16 hexadecimal digits that name a placement.
func recordDigest(p *kratix.WorkPlacement) string {
	sum := sha256.Sum256([]byte(p.Namespace + "/" + p.Name + "/" + p.Spec.ID))
	return hex.EncodeToString(sum[:8])
}

// readable returns as much of a name as a record's file name has room for.
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

// RecordBase returns the directory of the Destination whose record lies at a path,
// and whether a record can lie there: in .kratix/ or in one of its directories.
func RecordBase(p tree.Path) (tree.Path, bool) {
	dir := p.Dir()
	if isShard(dir.Base()) {
		dir = dir.Dir()
	}
	return dir.Dir(), dir.Base() == recordsDir && strings.HasSuffix(p.Base(), recordEnding)
}

// isShard reports whether a directory's name is one of the 256 in .kratix/.
func isShard(name string) bool {
	digits, ok := strings.CutSuffix(name, recordsDir)
	return ok && len(digits) == len("00")
}

// ModeOf returns the filepath mode in which the record at a path was written, as
// far as the path and the files that it lists tell. A flat record whose files lie
// in the directory of mode nestedByMetadata may be of either mode, and is taken to
// be of the Destination's own.
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

// DirIn returns the directory that a placement has to itself in mode
// nestedByMetadata; the root where its names make no path.
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

// DirOf returns the directory that a placement has to itself on a Destination; the
// root where it has none, or where its names make no path.
func DirOf(d *kratix.Destination, p *kratix.WorkPlacement) tree.Path {
	if d.FilepathMode() != kratix.NestedByMetadata {
		return tree.Path{}
	}
	return DirIn(d, p)
}

// within reports whether all files of a record lie in a directory.
func (r *Record) within(dir tree.Path) bool {
	return !slices.ContainsFunc(r.Files, func(file tree.Path) bool { return dir.IsRoot() || !file.Within(dir) })
}
