package reconcile

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
)

// unit is the smallest change that a server accepts or refuses: a placement or, without a Work, the
// files of a Destination that belong to no placement.
type unit struct {
	destination string
	placedGroup
}

func unitOf(p *kratix.WorkPlacement) unit {
	return unit{p.Spec.TargetDestinationName, groupOf(p)}
}

func (u unit) isRest() bool { return u.placedGroup == placedGroup{} }

type digest [sha256.Size]byte

func removalDigest() digest { return sha256.Sum256([]byte("removal")) }

type suspect struct {
	unit
	digest digest
}

// digestOf returns the digest of a placement's files.
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

type placedGroup struct {
	work kratix.Key
	id   string
}

func groupOf(p *kratix.WorkPlacement) placedGroup { return placedGroup{p.Work(), p.Spec.ID} }
