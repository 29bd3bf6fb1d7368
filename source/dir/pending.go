package dir

import (
	"maps"
	"slices"
	"sync"
)

// maxPaths is the number of changed paths at which the next scan is a full scan.
const maxPaths = 1 << 14

type task struct {
	watched bool
	all     bool
	paths   []string
}

type pending struct {
	mu sync.Mutex
	// watches maps each running watch to its coverage.
	watches map[*watch]coverage
	all     bool
	paths   map[string]struct{}
	links   bool
}

type coverage int

const (
	// fullCoverage means that the watch receives an event for every change.
	fullCoverage coverage = iota
	// partialCoverage means that the watch may miss changes, so each read is a full scan.
	partialCoverage
)

// take returns the pending task and clears it. Without a watch, the task is a full scan.
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

func (p *pending) scanAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all, p.paths = true, nil
}

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

// watch adds a watch or updates its coverage. The next scan is then a full scan.
func (p *pending) watch(w *watch, sees coverage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.watches == nil {
		p.watches = map[*watch]coverage{}
	}
	p.watches[w] = sees
	p.all, p.paths = true, nil
}

func (p *pending) end(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watches, w)
}

func (p *pending) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watches {
		select {
		case w.woken <- struct{}{}:
		default: // a notification is pending already
		}
	}
}

func (p *pending) setLinks(links bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.links = links
}

// needsAllEvents reports whether events for other files may matter, because of symbolic links.
func (p *pending) needsAllEvents() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.links || p.all
}
