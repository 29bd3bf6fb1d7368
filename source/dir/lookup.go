package dir

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
)

// lookUpsAtOnce is the number of entries of a directory that are looked up together.
const lookUpsAtOnce = 1024

type lookUp struct {
	info fs.FileInfo
	err  error
}

// lookUpFile looks up a file, or the target of a link.
func lookUpFile(name string, link bool) (found lookUp) {
	if link {
		found.info, found.err = os.Stat(name)
	} else {
		found.info, found.err = os.Lstat(name)
	}
	return found
}

func isLink(mode fs.FileMode) bool { return mode&fs.ModeSymlink != 0 }

// lookUpAll looks up the YAML files of a directory concurrently. Other entries have a zero lookUp.
func lookUpAll(dir string, entries []fs.DirEntry) []lookUp {
	found := make([]lookUp, len(entries))
	part := (len(entries) + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for from := 0; from < len(entries); from += part {
		all.Go(func() {
			for i := from; i < min(from+part, len(entries)); i++ {
				if path := filepath.Join(dir, entries[i].Name()); !entries[i].IsDir() && isYAML(path) && !isHidden(path) {
					found[i] = lookUpFile(path, isLink(entries[i].Type()))
				}
			}
		})
	}
	all.Wait()
	return found
}
