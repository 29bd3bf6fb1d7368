package dir

import (
	"maps"
	"slices"
	"sync"
)

// maxPaths is the number of changed paths at which the next read becomes a full scan.
const maxPaths = 1 << 14

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
	watches map[*watch]coverage
	all     bool
	paths   map[string]struct{}
	// links means that there are symbolic links among the files.
	links bool
}

// coverage is how complete the events of a watch are.
type coverage int

const (
	// fullCoverage: the watch receives every change.
	fullCoverage coverage = iota
	// partialCoverage: the watch may miss changes, so each read is a full scan.
	partialCoverage
)

// take returns the pending work and clears it. Without a watch, the work is a full scan.
func (p *pending) take() task {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := task{watched: len(p.watches) > 0, all: p.all || len(p.watches) == 0, paths: slices.Sorted(maps.Keys(p.paths))}
	for _, sees := range p.watches {
		t.all = t.all || sees == partialCoverage
	}
	p.all, p.paths = false, nil
	return t
}

// scanAll makes the next read a full scan.
func (p *pending) scanAll() {
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
	if len(p.paths) >= maxPaths {
		p.all, p.paths = true, nil
	}
}

// watch adds a watch or updates its coverage. The next read is a full scan, since earlier changes
// may have been missed.
func (p *pending) watch(w *watch, sees coverage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watches == nil {
		p.watches = map[*watch]coverage{}
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

// needsAllEvents reports whether every event matters: if there are symbolic links, an event may be
// for the target of a link, and before the first read it is unknown whether there are links.
func (p *pending) needsAllEvents() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.links || p.all
}
