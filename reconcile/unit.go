package reconcile

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
)

// unit is what a server accepts or refuses as one: a placement on a Destination
// or, without a Work, the rest of the Destination's directory.
type unit struct {
	destination string
	placedGroup
}

func unitOf(p *kratix.WorkPlacement) unit {
	return unit{p.Spec.TargetDestinationName, groupOf(p)}
}

// isRest reports whether a unit is no placement.
func (u unit) isRest() bool { return u.placedGroup == placedGroup{} }

// digest identifies what a unit would write.
type digest [sha256.Size]byte

// removalDigest stands for the removal of a placement.
func removalDigest() digest { return sha256.Sum256([]byte("removal")) }

// suspect is a unit with one content.
type suspect struct {
	unit
	digest digest
}

// digestOf returns the digest of a placement's files. Their record is no part of
// it: it changes with what other placements share.
func digestOf(files []layout.File) digest {
	hash := sha256.New()
	for _, file := range files {
		path := file.Path.String()
		var lengths [16]byte
		binary.BigEndian.PutUint64(lengths[:8], uint64(len(path)))
		binary.BigEndian.PutUint64(lengths[8:], uint64(len(file.Content)))
		hash.Write(lengths[:])
		hash.Write([]byte(path))
		hash.Write(file.Content)
	}
	return digest(hash.Sum(nil))
}

// placedGroup names a group of a Work.
type placedGroup struct {
	work kratix.Key
	id   string
}

func groupOf(p *kratix.WorkPlacement) placedGroup { return placedGroup{p.Work(), p.Spec.ID} }
