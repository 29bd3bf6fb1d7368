package dir

import (
	"io/fs"
	"time"
)

// racy is how old a file's times must be so that any later change is sure to change them: file
// systems have a resolution of up to two seconds.
const racy = 2 * time.Second

// stat is the metadata by which unchanged files are recognized.
type stat struct {
	size    int64
	modTime int64 // nanoseconds since 1970
	inode
}

// inode is metadata that only some systems have; elsewhere it is zero.
type inode struct {
	device, number uint64
	changeTime     int64 // nanoseconds since 1970
}

func statOf(info fs.FileInfo) stat {
	return stat{size: info.Size(), modTime: info.ModTime().UnixNano(), inode: inodeOf(info)}
}

// isOldAt reports whether any change after the given time would change the stat.
func (s stat) isOldAt(read time.Time) bool {
	return max(s.modTime, s.changeTime) < read.Add(-racy).UnixNano()
}
