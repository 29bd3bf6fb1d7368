package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"time"

	"github.com/kratix-schedule/kratix-schedule/source"
)

// patience is how long a command works before it says so.
const patience = 2 * time.Second

// progress shows on a terminal that work goes on, once it takes long.
type progress struct {
	out   io.Writer
	ended chan struct{}
	done  chan struct{}
	// works is how many Works were read; 0 while they are still being read.
	works atomic.Int64
	// built and roots are how many roots of a Flux repository are built, and how
	// many there are.
	built, roots atomic.Int64
}

// startProgress starts to wait; away from a terminal it shows nothing.
func startProgress(out io.Writer) *progress {
	p := &progress{out: out, ended: make(chan struct{}), done: make(chan struct{})}
	if !isTerminal(out) {
		close(p.done)
		return p
	}
	go p.show(patience, 100*time.Millisecond)
	return p
}

// show moves a bar until the work ends, then wipes it away.
func (p *progress) show(wait, step time.Duration) {
	defer close(p.done)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	shown := false
	for n := 0; ; n++ {
		select {
		case <-p.ended:
			if shown {
				_, _ = fmt.Fprint(p.out, "\r\x1b[K")
			}
			return
		case <-timer.C:
			shown = true
			_, _ = fmt.Fprint(p.out, "\r\x1b[K"+p.bar(n))
			timer.Reset(step)
		}
	}
}

// bar draws a block that runs to and fro: how much there is to do is not known
// before it is done.
func (p *progress) bar(n int) string {
	const width, block = 24, 6
	at := n % (2 * (width - block))
	at = min(at, 2*(width-block)-at)
	text := "reading the input"
	if works := p.works.Load(); works > 0 {
		text = fmt.Sprintf("checking %d Works", works)
	} else if roots := p.roots.Load(); roots > 0 {
		text = fmt.Sprintf("built %d of %d roots", p.built.Load(), roots)
	}
	return "[" + strings.Repeat(" ", at) + strings.Repeat("#", block) + strings.Repeat(" ", width-block-at) + "] " + text
}

// stop ends the bar.
func (p *progress) stop() {
	close(p.ended)
	<-p.done
}

// building takes in how many roots of a Flux repository are built.
func (p *progress) building(done, all int) {
	p.built.Store(int64(done))
	p.roots.Store(int64(all))
}

// watch has a source report its progress.
func (p *progress) watch(in source.Source) source.Source { return &watched{in, p} }

type watched struct {
	source.Source
	progress *progress
}

// Snapshot reads, and shows how much there was.
func (w *watched) Snapshot(ctx context.Context) (source.Snapshot, error) {
	snapshot, err := w.Source.Snapshot(ctx)
	w.progress.works.Store(int64(len(snapshot.Works)))
	return snapshot, err
}
