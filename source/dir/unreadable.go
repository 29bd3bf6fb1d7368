package dir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

var (
	// reading a pipe or device could block
	errIrregular = errors.New("it is not a regular file")
	errLink      = errors.New("it is a symbolic link")
	errDenied    = errors.New("permission denied")
)

func irregular(info fs.FileInfo) error {
	kind := "a device"
	switch {
	case info.Mode()&fs.ModeNamedPipe != 0:
		kind = "a pipe"
	case info.Mode()&fs.ModeSocket != 0:
		kind = "a socket"
	}
	return fmt.Errorf("%w but %s; remove it, or leave it out with --exclude", errIrregular, kind)
}

func unreadable(name string, err error) error {
	switch target, isLink := os.Readlink(name); {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w; let the user that runs this read the file", errDenied)
	case isLink == nil && errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w to %s, which is not there; correct or remove the link", errLink, target)
	case isLink == nil && errors.Is(err, syscall.EISDIR):
		return fmt.Errorf("%w to a directory, and such links are not followed; name the directory itself as an input", errLink)
	}
	return reason(err)
}
