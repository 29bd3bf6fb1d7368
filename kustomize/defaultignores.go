package kustomize

import (
	"strings"

	"github.com/fluxcd/pkg/sourceignore"
)

// defaultIgnores are Flux's default patterns of ignored files.
type defaultIgnores struct {
	names, dirs map[string]bool
	endings     []string
}

func newDefaultIgnores() *defaultIgnores {
	d := &defaultIgnores{names: map[string]bool{}, dirs: map[string]bool{}}
	all := []string{sourceignore.ExcludeVCS, sourceignore.ExcludeExt, sourceignore.ExcludeCI, sourceignore.ExcludeExtra}
	for pattern := range strings.SplitSeq(strings.Join(all, ","), ",") {
		pattern = strings.TrimPrefix(pattern, "**/")
		if ending, ok := strings.CutPrefix(pattern, "*"); ok {
			d.endings = append(d.endings, ending)
		} else if dir, ok := strings.CutSuffix(pattern, "/"); ok {
			d.dirs[dir] = true
		} else {
			d.names[pattern] = true
		}
	}
	return d
}

func (d *defaultIgnores) has(path string) bool {
	for more := true; more; {
		var element string
		element, path, more = strings.Cut(path, "/")
		if d.names[element] || more && d.dirs[element] {
			return true
		}
		for _, ending := range d.endings {
			if strings.HasSuffix(element, ending) {
				return true
			}
		}
	}
	return false
}
