package dir

import (
	"io/fs"
	"time"
)

// racy is a time span. If the last change of a file is longer ago than racy, every later change
// also changes the times of the file. File systems have a resolution of up to two seconds.
const racy = 2 * time.Second

// stat is the metadata of a file. If it is equal, the file is unchanged.
type stat struct {
	size    int64
	modTime int64 // nanoseconds since 1970
	inode
}

// inode is metadata that only some operating systems have. On others it is zero.
type inode struct {
	device, number uint64
	changeTime     int64 // nanoseconds since 1970
}

func statOf(info fs.FileInfo) stat {
	return stat{size: info.Size(), modTime: info.ModTime().UnixNano(), inode: inodeOf(info)}
}

// isOldAt reports whether any change after the given time would give the file another stat.
func (s stat) isOldAt(read time.Time) bool {
	return max(s.modTime, s.changeTime) < read.Add(-racy).UnixNano()
}
