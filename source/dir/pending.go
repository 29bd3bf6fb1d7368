package dir

import (
	"maps"
	"slices"
	"sync"
)

// many is the number of changed paths from which a full scan is made instead.
const many = 1 << 14

// task is the work of one read.
type task struct {
	// watched means that a watch reports changes.
	watched bool
	all     bool
	// paths are the changed paths, unless all is set.
	paths []string
}

// pending collects the work of the next read.
type pending struct {
	mu sync.Mutex
	// watches are the running watches, and whether they receive all events.
	watches map[*watch]sight
	all     bool
	paths   map[string]struct{}
	// links means that there are symbolic links among the files.
	links bool
}

// sight is how complete the events of a watch are.
type sight int

const (
	// seesAll: the watch receives every change.
	seesAll sight = iota
	// seesPart: the watch may miss changes, so that each read is a full scan.
	seesPart
)

// take returns the pending work and clears it. Without a watch it is a full scan.
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

// lookAgain makes the next read a full scan.
func (p *pending) lookAgain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.paths = true, nil
}

// mark adds paths to the next read.
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

// watch adds a watch or updates its sight. The next read is a full scan, since earlier changes
// may have been missed.
func (p *pending) watch(w *watch, sees sight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watches == nil {
		p.watches = map[*watch]sight{}
	}
	p.watches[w] = sees
	p.all, p.paths = true, nil
}

// end removes a watch.
func (p *pending) end(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watches, w)
}

// wake makes the watches report a change.
func (p *pending) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watches {
		select {
		case w.woken <- struct{}{}:
		default: // pending already
		}
	}
}

func (p *pending) setLinks(links bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links = links
}

// heedsAll reports whether every event matters: if there are symbolic links, the event may be
// for the target of one, and before the first read this is not known.
func (p *pending) heedsAll() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.links || p.all
}
