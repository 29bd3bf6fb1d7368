package dir

import (
	"io/fs"
	"syscall"
)

func inodeOf(info fs.FileInfo) inode {
	system, known := info.Sys().(*syscall.Stat_t)
	if !known {
		return inode{}
	}
	return inode{device: system.Dev, number: system.Ino, changeTime: system.Ctim.Nano()}
}
