package telemetry

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

// storeMetrics are the metrics of each store. They are safe for concurrent use.
type storeMetrics struct {
	up       *prometheus.GaugeVec
	duration *prometheus.HistogramVec
	errors   *prometheus.CounterVec
	retries  *prometheus.CounterVec
	failures *prometheus.GaugeVec
	next     *prometheus.GaugeVec
	queue    *prometheus.GaugeVec
	files    *prometheus.HistogramVec
	bytes    *prometheus.HistogramVec
	commits  *prometheus.CounterVec
	waits    *prometheus.HistogramVec
	waiting  *prometheus.GaugeVec
	commitAt *prometheus.GaugeVec
	selected *prometheus.GaugeVec

	mu     sync.Mutex
	known  map[string]*storeState
	series []interface {
		DeletePartialMatch(labels prometheus.Labels) int
	}
}

type storeState struct {
	failing bool
	// opened means that the store was opened since the last round ended.
	opened bool
}

// The operations on a store.
const (
	opOpen  = "open"
	opRead  = "read"
	opWrite = "write"
)

const storeLabel = "store"

func newStoreMetrics(define *definer) *storeMetrics {
	m := &storeMetrics{
		up: define.gauge("store_up", "1 if the last operation on the store succeeded, 0 if it failed. A store that another writer has changed meanwhile counts as working.", storeLabel),
		duration: define.histogram("store_operation_duration_seconds",
			"How long it took to read or to write a store, whether it worked or not.", seconds(), storeLabel, "operation"),
		errors: define.counter("store_errors_total", "What went wrong with a store, by kind: stale (another writer was first; the round is done again), "+
			"denied, unavailable, misconfigured, other.", storeLabel, "kind"),
		retries:  define.counter("store_retries_total", "How often a store was read or written again after it had failed.", storeLabel),
		failures: define.gauge("store_consecutive_failures", "How often in a row the store could not be read or written; 0 once it works.", storeLabel),
		next: define.gauge("store_next_try_timestamp_seconds", "When the store is tried again after it has failed, in seconds since 1970; 0 once it works. "+
			"Each failure in a row doubles the pause, up to 5 minutes.", storeLabel),
		queue: define.gauge("queue_depth", "Placements whose change waits to be written to the store. It is set when a write begins, "+
			"is 0 once one worked, and stays while the store fails.", storeLabel),
		files: define.histogram("write_files", "Files added, changed and removed by one write. A git store makes one commit of each.",
			prometheus.ExponentialBuckets(1, 4, 9), storeLabel),
		bytes: define.histogram("write_bytes", "Bytes of the files added and changed by one write.",
			prometheus.ExponentialBuckets(256, 8, 8), storeLabel),
		selected: define.gauge("store_selected", "0 if --watch-label-selector leaves the store to another shard, else 1. "+
			"The sum over all shards must be 1: 0 means that none writes to the store.", storeLabel),
		commits: define.counter("commits_total", "Commits, or writes of a bucket, that changed the store. One commit with the changes of several stores counts once, for one of them.", storeLabel),
		waits: define.histogram("commit_wait_seconds", "How long the oldest change in a commit had to wait because of --commits-per-minute; 0 if it did not have to. "+
			"A commit for several stores counts once, for one of them.", prometheus.ExponentialBuckets(0.25, 2, 10), storeLabel),
		waiting:  define.gauge("waiting_placements", "Placements whose change waits for the next commit to the store because of --commits-per-minute.", storeLabel),
		commitAt: define.gauge("next_commit_timestamp_seconds", "When the next commit to the store may be made, for which changes wait because of --commits-per-minute, in seconds since 1970; 0 if none wait.", storeLabel),
		known:    map[string]*storeState{},
	}
	m.series = append(m.series, m.up, m.duration, m.errors, m.retries, m.failures, m.next, m.queue, m.files, m.bytes, m.commits, m.waits, m.waiting, m.commitAt, m.selected)
	return m
}

// of returns the state of a store. It creates all series of a new store, because Prometheus sees no
// increase if a counter starts at 1.
func (m *storeMetrics) of(store string) *storeState {
	state, known := m.known[store]
	if !known {
		state = &storeState{}
		m.known[store] = state
		for _, kind := range kinds() {
			m.errors.WithLabelValues(store, kind)
		}
		m.retries.WithLabelValues(store)
		m.failures.WithLabelValues(store)
		m.next.WithLabelValues(store)
		m.queue.WithLabelValues(store)
		m.commits.WithLabelValues(store)
		m.waits.WithLabelValues(store)
		m.waiting.WithLabelValues(store)
		m.commitAt.WithLabelValues(store)
	}
	return state
}

func (m *storeMetrics) opened(store string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(store).opened = true
	if err != nil {
		m.ended(store, err)
	}
}

func (m *storeMetrics) did(store, operation string, took time.Duration, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of(store).failing {
		m.retries.WithLabelValues(store).Inc()
	}
	m.duration.WithLabelValues(store, operation).Observe(took.Seconds())
	m.ended(store, err)
}

func (m *storeMetrics) ended(store string, err error) {
	state := m.of(store)
	state.failing = err != nil
	up := 1.0
	if err != nil {
		kind := kindOf(err)
		m.errors.WithLabelValues(store, kind).Inc()
		if kind != kindStale {
			up = 0
		}
	}
	m.up.WithLabelValues(store).Set(up)
}

// setFailures records the number of consecutive failures of a store and the time of the next
// attempt, which is zero if the store works.
func (m *storeMetrics) setFailures(store string, failures int, next time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(store)
	m.failures.WithLabelValues(store).Set(float64(failures))
	m.next.WithLabelValues(store).Set(timestamp(next))
}

// timestamp returns a time in seconds since 1970, and 0 for the zero time.
func timestamp(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.UnixMilli()) / 1000
}

// setThrottled records the number of placements that wait for the next commit, and its time.
func (m *storeMetrics) setThrottled(store string, placements int, next time.Time) {
	m.waiting.WithLabelValues(store).Set(float64(placements))
	m.commitAt.WithLabelValues(store).Set(timestamp(next))
}

// addCommits counts the new revisions in the outcomes of a write.
func (m *storeMetrics) addCommits(parts []statestore.ViewChanges, outcomes []statestore.Outcome) {
	counted := map[statestore.Revision]bool{}
	for i, outcome := range outcomes {
		if changes := parts[i].Changes; outcome.Err == nil && !changes.Empty() && outcome.Revision != changes.Base && !counted[outcome.Revision] {
			counted[outcome.Revision] = true
			m.commits.WithLabelValues(parts[i].View.Name).Inc()
		}
	}
}

func (m *storeMetrics) setPending(store string, placements int) {
	m.queue.WithLabelValues(store).Set(float64(placements))
}

func (m *storeMetrics) addWrite(store string, changes statestore.ChangeSet) {
	m.files.WithLabelValues(store).Observe(float64(len(changes.Write) + len(changes.Remove)))
	m.bytes.WithLabelValues(store).Observe(float64(size(changes)))
}

func size(changes statestore.ChangeSet) int {
	sum := 0
	for _, file := range changes.Write {
		sum += len(file.Content)
	}
	return sum
}

// keep records which stores are selected, and removes the series of stores that are neither opened
// nor reported.
func (m *storeMetrics) keep(r report.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	told, unselected := map[string]bool{}, map[string]bool{}
	for _, store := range r.Stores {
		told[store.Name] = true
		unselected[store.Name] = store.Unselected
	}
	for _, f := range r.Findings {
		if f.Rule == finding.StoreFailed() {
			told[f.Place.Object] = true
		}
	}
	for store, state := range m.known {
		m.selected.WithLabelValues(store).Set(1)
		if unselected[store] {
			m.selected.WithLabelValues(store).Set(0)
		}
		if !state.opened && !told[store] {
			delete(m.known, store)
			for _, series := range m.series {
				series.DeletePartialMatch(prometheus.Labels{storeLabel: store})
			}
		}
		state.opened = false
	}
}
