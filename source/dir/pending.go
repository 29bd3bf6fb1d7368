package dir

import (
	"maps"
	"slices"
	"sync"
)

// many is from how many changed paths on a look at everything is made instead:
// nobody may have looked for long.
const many = 1 << 14

// task is what a look has to do.
type task struct {
	// watched means that something reports changes.
	watched bool
	all     bool
	// paths are what has changed, if not all.
	paths []string
}

// pending is what the next look has to do.
type pending struct {
	mu sync.Mutex
	// watches are those that run, and whether they see all there is.
	watches map[*watch]sight
	all     bool
	paths   map[string]struct{}
	// links means that there are symbolic links among the files.
	links bool
}

// sight is what a watch sees.
type sight int

const (
	// seesAll receives every change.
	seesAll sight = iota
	// seesPart may miss changes, so that each look is at everything.
	seesPart
)

// take returns what is to be done, and forgets it. Without a watch everything is.
func (p *pending) take() task {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := task{watched: len(p.watches) > 0, all: p.all || len(p.watches) == 0, paths: slices.Sorted(maps.Keys(p.paths))}
	for _, sees := range p.watches {
		t.all = t.all || sees == seesPart
	}
	p.all, p.paths = false, nil
	return t
}

// lookAgain has the next look be at everything.
func (p *pending) lookAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.paths = true, nil
}

// mark has the next look read some paths.
func (p *pending) mark(paths ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all {
		return
	}
	if p.paths == nil {
		p.paths = map[string]struct{}{}
	}
	for _, path := range paths {
		p.paths[path] = struct{}{}
	}
	if len(p.paths) >= many {
		p.all, p.paths = true, nil
	}
}

// watch takes in a watch, or what it sees now. What happened before it saw that
// is not known.
func (p *pending) watch(w *watch, sees sight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watches == nil {
		p.watches = map[*watch]sight{}
	}
	p.watches[w] = sees
	p.all, p.paths = true, nil
}

// end takes a watch out.
func (p *pending) end(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watches, w)
}

// wake has the watches report a change.
func (p *pending) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watches {
		select {
		case w.woken <- struct{}{}:
		default: // woken already
		}
	}
}

func (p *pending) setLinks(links bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links = links
}

// heedsAll reports whether every event matters: it may be of what a link leads to,
// and before the first look nobody knows whether there are links.
func (p *pending) heedsAll() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.links || p.all
}
