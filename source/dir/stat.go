package dir

import (
	"io/fs"
	"time"
)

// racy is the time within which two changes may give a file the same times.
const racy = 2 * time.Second

// stat is the metadata of a file. If it differs, the file is read again.
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

// isOldAt reports whether any change after the given time changes the stat.
func (s stat) isOldAt(read time.Time) bool {
	return max(s.modTime, s.changeTime) < read.Add(-racy).UnixNano()
}
