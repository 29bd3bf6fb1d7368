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

const patience = 2 * time.Second

type progress struct {
	out   io.Writer
	ended chan struct{}
	done  chan struct{}
	// works is the number of Works, or 0 until they are read.
	works        atomic.Int64
	built, roots atomic.Int64
}

func startProgress(out io.Writer) *progress {
	p := &progress{out: out, ended: make(chan struct{}), done: make(chan struct{})}
	if !isTerminal(out) {
		close(p.done)
		return p
	}
	go p.show(patience, 100*time.Millisecond)
	return p
}

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

func (p *progress) stop() {
	close(p.ended)
	<-p.done
}

func (p *progress) building(done, all int) {
	p.built.Store(int64(done))
	p.roots.Store(int64(all))
}

func (p *progress) watch(in source.Source) source.Source { return &watched{in, p} }

type watched struct {
	source.Source
	progress *progress
}

func (w *watched) Snapshot(ctx context.Context) (source.Snapshot, error) {
	snapshot, err := w.Source.Snapshot(ctx)
	w.progress.works.Store(int64(len(snapshot.Works)))
	return snapshot, err
}
