package daemon

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/kratix-schedule/kratix-schedule/internal/agent/receive"
)

// gitPushes are the storages to which a git host has reported a push, until they are taken.
type gitPushes struct {
	mu       sync.Mutex
	storages map[string]bool
	changed  chan struct{}
}

func (p *gitPushes) add(storages []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.storages == nil {
		p.storages = map[string]bool{}
	}
	for _, storage := range storages {
		p.storages[storage] = true
	}
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

func (p *gitPushes) take() map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.storages
	p.storages = nil
	return taken
}

func (d *Daemon) registerGitEvents(mux *http.ServeMux) {
	handler := &receive.GitHandler{Secret: d.GitEventsSecret, Pushed: d.pushed, Now: d.Now, Log: d.Log, Count: d.metrics.CountGitEvent}
	handler.Register(mux)
}

// pushed requests a read of the storages with a repository and branch, on any host. known reports
// whether there is such a storage, and ready reports whether there is any storage.
func (d *Daemon) pushed(repository, branch string) (known, ready bool) {
	all := d.throttle.Storages()
	suffix := strings.ToLower("/" + strings.Trim(repository, "/") + "#" + branch)
	var found []string
	for _, storage := range all {
		if strings.HasSuffix(strings.ToLower(storage), suffix) {
			found = append(found, storage)
		}
	}
	if len(found) > 0 {
		d.pushes.add(found)
	}
	return len(found) > 0, len(all) > 0
}

// wakeByPushes requests a round after a push to a branch with a state store. It returns when ctx
// ends.
func (d *Daemon) wakeByPushes(ctx context.Context) {
	wakeBy(ctx, d.pushes.changed, func() {
		pushed := d.pushes.take()
		d.throttle.RefreshWhere(func(storage string) bool { return pushed[storage] })
		d.wake()
	})
}
