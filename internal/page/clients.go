package page

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	maxClients = 16
	// keepAlive is the interval of comments on a connection.
	keepAlive = 20 * time.Second
	// writeTimeout is the time after which a client that does not read is disconnected.
	writeTimeout = 5 * time.Second
	// longestConnection is the time after which a connection ends.
	longestConnection = 10 * time.Minute
)

// clients are the connections of open pages. The zero value is ready for use.
type clients struct {
	mu     sync.Mutex
	open   map[*client]struct{}
	closed bool
	done   chan struct{}
}

type client struct {
	// news contains the number of the newest round without an event for this client.
	news chan int64
}

var errTooMany = errors.New("too many open pages; this one is not updated by itself")

func (c *clients) join() (*client, <-chan struct{}, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		c.open = map[*client]struct{}{}
	}
	if len(c.open) >= maxClients || c.closed {
		return nil, nil, errTooMany
	}
	joined := &client{news: make(chan int64, 1)}
	c.open[joined] = struct{}{}
	return joined, c.done, nil
}

func (c *clients) leave(left *client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, left)
}

// notify queues an event about a round for all clients, in place of unsent events. It does not
// block.
func (c *clients) notify(round int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for each := range c.open {
		select {
		case <-each.news:
		default:
		}
		each.news <- round
	}
}

func (c *clients) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed && c.done != nil {
		close(c.done)
	}
	c.closed = true
}

// events sends an event for each round. It ends when the client is gone or too slow, or the
// connection is too old.
func (s *Site) events(w http.ResponseWriter, r *http.Request) {
	joined, closed, err := s.clients.join()
	if err != nil {
		w.Header().Set("Retry-After", "30")
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer s.clients.leave(joined)
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would collect the events
	stream := eventStream{now: s.Now, w: w, control: http.NewResponseController(w)}
	if err := stream.send(fmt.Sprintf("retry: 3000\nevent: round\ndata: %d\n\n", s.rounds.Load())); err != nil || r.Method == http.MethodHead {
		return
	}
	tick := time.NewTicker(keepAlive)
	defer tick.Stop()
	end := time.NewTimer(longestConnection)
	defer end.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-r.Context().Done():
			return
		case <-closed:
			return
		case <-end.C:
			return
		case round := <-joined.news:
			text = fmt.Sprintf("event: round\ndata: %d\n\n", round)
		case <-tick.C:
		}
		if stream.send(text) != nil {
			return
		}
	}
}

type eventStream struct {
	now     func() time.Time
	w       http.ResponseWriter
	control *http.ResponseController
}

// send writes a text at once, and returns an error if the client does not take it in time.
func (e eventStream) send(text string) error {
	if err := e.control.SetWriteDeadline(e.now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := e.w.Write([]byte(text)); err != nil {
		return err
	}
	return e.control.Flush()
}
