package simulate

import (
	"context"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// limits are the published limits of a kind of server, and the durations of its requests.
type limits struct {
	// readTime and writeTime are the durations of one request.
	readTime, writeTime time.Duration
	// page is the number of files that one request lists, or 0 if one request reads everything.
	page int
	// writes and files are the limits per second for the whole server, or 0 for no limit. A write
	// counts as requestsOfWrite, or as 1.
	writes, files   float64
	requestsOfWrite int
	// perMinute is the recommended number of writes per minute to a location, or 0 if there is
	// none.
	perMinute int
}

type host struct {
	limits

	mu       sync.Mutex
	writing  *rate.Limiter
	filing   *rate.Limiter
	requests map[string]int
	// above is the number of writes that exceed perMinute.
	above int
}

func (h *host) count(what string, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.requests == nil {
		h.requests = map[string]int{}
	}
	h.requests[what] += n
}

// admit returns the delay of a write, or the time after which a refused write may be tried again.
func (h *host) admit(files int) (delay, refused time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writing == nil {
		h.writing, h.filing = limiter(h.writes), limiter(h.files)
	}
	now := time.Now()
	if reservation := h.writing.ReserveN(now, max(1, h.requestsOfWrite)); reservation.DelayFrom(now) > time.Second {
		reservation.CancelAt(now)
		return 0, time.Second
	}
	return h.filing.ReserveN(now, min(files, h.filing.Burst())).DelayFrom(now), 0
}

func limiter(perSecond float64) *rate.Limiter {
	if perSecond == 0 {
		return rate.NewLimiter(rate.Inf, 1<<30)
	}
	return rate.NewLimiter(rate.Limit(perSecond), int(perSecond))
}

type store struct {
	host *host
	name string

	mu       sync.Mutex
	files    statestore.Files
	revision int
	writes   []time.Time
	commits  int
	last     time.Time
}

// written returns the time of the last write.
func (s *store) written() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

var _ statestore.Store = (*store)(nil)

func (s *store) Read(context.Context) (statestore.State, error) {
	s.mu.Lock()
	requests, files, revision := 1, s.files, s.revision
	s.mu.Unlock()
	if s.host.page > 0 {
		requests += files.Len() / s.host.page
	}
	s.host.count("read", requests)
	time.Sleep(time.Duration(requests) * s.host.readTime)
	return statestore.State{Revision: statestore.Revision(strconv.Itoa(revision)), Files: files, Contents: contents{}}, nil
}

func (s *store) Apply(_ context.Context, changes statestore.ChangeSet) (statestore.Revision, error) {
	delay, refused := s.host.admit(len(changes.Write))
	if refused > 0 {
		s.host.count("refused", 1)
		return "", &statestore.Error{Op: "write", Store: s.name, Err: statestore.ErrUnavailable, RetryAfter: refused}
	}
	time.Sleep(s.host.writeTime + delay)
	s.host.count("write", 1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if statestore.Revision(strconv.Itoa(s.revision)) != changes.Base {
		return "", &statestore.Error{Op: "write", Store: s.name, Err: statestore.ErrStale}
	}
	differ := make([]statestore.FileChange, 0, len(changes.Write))
	for _, file := range changes.Write {
		differ = append(differ, statestore.FileChange{Path: file.Path, Digest: statestore.Digest{byte(s.revision)}})
	}
	s.files = s.files.With(differ)
	s.revision++
	s.commits++
	s.last = time.Now()
	s.countAbove(s.last)
	return statestore.Revision(strconv.Itoa(s.revision)), nil
}

// countAbove counts the write if it exceeds the recommended number of writes per minute.
func (s *store) countAbove(now time.Time) {
	if s.host.perMinute == 0 {
		return
	}
	s.writes = append(s.writes, now)
	for now.Sub(s.writes[0]) >= time.Minute-time.Second {
		s.writes = s.writes[1:]
	}
	if len(s.writes) > s.host.perMinute {
		s.host.mu.Lock()
		s.host.above++
		s.host.mu.Unlock()
	}
}

// contents are the contents of files, which nothing reads.
type contents struct{}

func (contents) Digest([]byte) statestore.Digest { return statestore.Digest{} }

func (contents) Content(context.Context, tree.Path) ([]byte, error) {
	return nil, statestore.ErrUnknownRevision
}
