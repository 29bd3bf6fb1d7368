package dir

import (
	"io/fs"
	"time"
)

// racy is how old a file's times must be when it is read, so that a later
// change is sure to give it others: file systems count time in steps of up to
// two seconds.
const racy = 2 * time.Second

// stat is what shows, without reading its content, that a file is unchanged.
type stat struct {
	size    int64
	modTime int64 // nanoseconds since 1970
	inode
}

// inode is what a stat has beyond what every system has; zero where the
// system does not say.
type inode struct {
	device, number uint64
	changeTime     int64 // nanoseconds since 1970
}

func statOf(info fs.FileInfo) stat {
	return stat{size: info.Size(), modTime: info.ModTime().UnixNano(), inode: inodeOf(info)}
}

// isOldAt reports whether a change after the time of the reading changes the stat.
func (s stat) isOldAt(read time.Time) bool {
	return max(s.modTime, s.changeTime) < read.Add(-racy).UnixNano()
}
