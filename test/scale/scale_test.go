// Package scale measures the daemon in a new process, with a directory of Works and a git server.
package scale

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

var (
	works        = flag.Int("works", 100_000, "how many Works the benchmark has")
	destinations = flag.Int("destinations", 1_000, "how many Destinations")
	burst        = flag.Int("burst", 10_000, "how many new Works come at once")
	pairs        = flag.Int("pairs", 7, "how often one new Work and a bare push are measured, in turns")
	partial      = flag.Bool("partial", false, "the server gives single blobs, as GitHub, GitLab and Gitea do")
	keep         = flag.String("keep", "", "directory for profiles of the daemon")
	checkApply   = flag.String("check-apply", "quarantine", "what the daemon does about what the API server would refuse")
)

type size struct{ works, destinations, burst, pairs int }

type measured struct {
	first, firstCPU         time.Duration
	firstCommits            int
	firstRSS, firstPeak     int
	unchanged, unchangedCPU time.Duration
	event                   time.Duration
	one, push               []time.Duration
	oneRSS, onePeak         int
	restart, restartCPU     time.Duration
	restartCommits          int
	restartRSS, restartPeak int
	burst                   time.Duration
	burstCommits            int
	burstRSS, burstPeak     int
}

type fixture struct {
	*env
	daemon     *daemon
	repository string
	clone      *clone
	size
}

func newFixture(t testing.TB, size size) *fixture {
	t.Helper()
	repository := gittest.Bare(t)
	var settings []string
	if *partial {
		settings = gittest.Partial()
	}
	server := gittest.Serve(t, filepath.Dir(repository), settings...)
	url := server.URL + "/" + filepath.Base(repository)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, server.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	s := &fixture{env: newEnv(t, url, size.destinations), repository: repository, size: size}
	s.daemon = &daemon{t: t, binary: buildDaemon(t), source: s.source, env: []string{"SSL_CERT_FILE=" + ca}, log: log}
	s.clone = &clone{t: t, repository: repository, url: url}
	t.Cleanup(s.daemon.stop)
	s.prepareWorks(0, size.works+1+size.pairs+size.burst, size.destinations)
	s.addWorks(0, size.works)
	return s
}

func (s *fixture) commitCount() int {
	if _, err := os.Stat(s.branchFile()); err != nil {
		return 0
	}
	n, _ := strconv.Atoi(gittest.Commits(s.t, s.repository, "main"))
	return n
}

func (s *fixture) branchFile() string { return filepath.Join(s.repository, "refs", "heads", "main") }

func (s *fixture) head() string {
	content, _ := os.ReadFile(s.branchFile())
	return strings.TrimSpace(string(content))
}

func measure(t testing.TB, size size) (m measured) {
	s := newFixture(t, size)
	s.measureFirst(&m)
	s.measureUnchanged(&m)
	s.measureOneNew(&m)
	s.measureRestart(&m)
	s.measureBurst(&m)
	return m
}

func (s *fixture) measureFirst(m *measured) {
	began := time.Now()
	s.daemon.start()
	stop := s.profile("first")
	defer stop()
	s.daemon.waitForPlacements(s.works)
	m.first, m.firstCPU, m.firstCommits = time.Since(began), s.daemon.cpuTime(), s.commitCount()
	m.firstRSS, m.firstPeak = s.daemon.memory()
	s.t.Logf("first round: %s, processor %s, %d commits, %d MiB, peak %d MiB", m.first, m.firstCPU, m.firstCommits, m.firstRSS, m.firstPeak)
}

func (s *fixture) measureUnchanged(m *measured) {
	const rounds = 5
	s.daemon.runFullRound() // this round reads the files that the first round has written
	stop := s.profile("unchanged")
	defer stop()
	before := s.daemon.cpuTime()
	var took, eventRounds []time.Duration
	for range rounds {
		took = append(took, s.daemon.runFullRound())
	}
	m.unchanged, m.unchangedCPU = median(took), (s.daemon.cpuTime()-before)/rounds
	for range rounds {
		eventRounds = append(eventRounds, s.rewriteWork())
	}
	m.event = median(eventRounds)
	s.t.Logf("unchanged: looked at all %s, processor %s; after an event %s", m.unchanged, m.unchangedCPU, m.event)
}

func (s *fixture) rewriteWork() time.Duration {
	s.t.Helper()
	before := s.daemon.metrics()
	name := filepath.Join(s.source, workFile(0))
	content, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write(s.staging, "same", string(content))
	if err := os.Rename(filepath.Join(s.staging, "same"), name); err != nil {
		s.t.Fatal(err)
	}
	after := s.daemon.waitFor("a round", func(values map[string]float64) bool { return values[roundCount] > before[roundCount] })
	return duration(after[roundSum]-before[roundSum]) / time.Duration(after[roundCount]-before[roundCount])
}

func (s *fixture) measureOneNew(m *measured) {
	next := s.works
	s.placeWork(next) // the clone needs a placement to copy
	s.clone.create()
	for range s.pairs {
		m.push = append(m.push, s.clone.pushCopy(s.head()))
		next++
		m.one = append(m.one, s.placeWork(next))
		s.t.Logf("one new Work %s, bare push %s", m.one[len(m.one)-1], m.push[len(m.push)-1])
	}
	m.oneRSS, m.onePeak = s.daemon.memory()
	s.works = next + 1
}

func (s *fixture) placeWork(i int) time.Duration {
	s.t.Helper()
	before, deadline := s.head(), time.Now().Add(2*time.Minute)
	began := time.Now()
	s.addWorks(i, i+1)
	for s.head() == before {
		if time.Now().After(deadline) {
			s.t.Fatalf("Work %d is not written\n%s", i, s.daemon.logTail())
		}
		time.Sleep(500 * time.Microsecond)
	}
	took := time.Since(began)
	s.daemon.waitForPlacements(i + 1)
	return took
}

func (s *fixture) measureRestart(m *measured) {
	s.daemon.stop()
	before, began := s.commitCount(), time.Now()
	s.daemon.start()
	stop := s.profile("restart")
	defer stop()
	s.daemon.waitForPlacements(s.works)
	m.restart, m.restartCPU = time.Since(began), s.daemon.cpuTime()
	s.daemon.runFullRound()
	m.restartCommits = s.commitCount() - before
	m.restartRSS, m.restartPeak = s.daemon.memory()
	s.t.Logf("restart: %s, processor %s, %d commits, %d MiB, peak %d MiB", m.restart, m.restartCPU, m.restartCommits, m.restartRSS, m.restartPeak)
}

func (s *fixture) measureBurst(m *measured) {
	before, began := s.commitCount(), time.Now()
	stop := s.profile("burst")
	defer stop()
	done := make(chan time.Time)
	over := make(chan struct{})
	go func() { // records when the branch last moved
		head, moved := s.head(), began
		for {
			if now := s.head(); now != head {
				head, moved = now, time.Now()
			}
			select {
			case <-over:
				done <- moved
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	s.addWorks(s.works, s.works+s.size.burst)
	s.works += s.size.burst
	s.daemon.waitForPlacements(s.works)
	close(over)
	m.burst, m.burstCommits = (<-done).Sub(began), s.commitCount()-before
	m.burstRSS, m.burstPeak = s.daemon.memory()
	s.t.Logf("burst: %s, %d commits, %.0f placements/s, %d MiB, peak %d MiB", m.burst, m.burstCommits, float64(s.size.burst)/m.burst.Seconds(), m.burstRSS, m.burstPeak)
}

func median(all []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

func BenchmarkDaemon(b *testing.B) {
	for range b.N {
		m := measure(b, size{*works, *destinations, *burst, *pairs})
		b.ReportMetric(m.first.Seconds(), "first-s")
		b.ReportMetric(100*m.unchanged.Seconds()/m.first.Seconds(), "unchanged-%-of-first")
		b.ReportMetric(median(m.one).Seconds()/median(m.push).Seconds(), "one-new/bare-push")
		b.ReportMetric(float64(m.firstPeak), "first-peak-MiB")
		b.ReportMetric(float64(m.oneRSS), "RSS-MiB")
		b.ReportMetric(float64(m.restartPeak), "restart-peak-MiB")
		b.ReportMetric(float64(m.restartCommits), "restart-commits")
		b.ReportMetric(float64(m.burstPeak), "burst-peak-MiB")
		b.ReportMetric(float64(m.burstCommits), "burst-commits")
		b.ReportMetric(float64(*burst)/m.burst.Seconds(), "burst-placements/s")
	}
}

func TestDaemon(t *testing.T) {
	testkit.Slow(t)
	size := size{works: 60, destinations: 6, burst: 40, pairs: 2}
	m := measure(t, size)
	if m.firstCommits != 1 {
		t.Errorf("the first round made %d commits", m.firstCommits)
	}
	if m.restartCommits != 0 {
		t.Errorf("a start on an unchanged store made %d commits", m.restartCommits)
	}
	if m.burstCommits < 1 || m.burstCommits > 20 {
		t.Errorf("a burst made %d commits", m.burstCommits)
	}
	if len(m.one) != size.pairs || len(m.push) != size.pairs || slices.Min(m.one) <= 0 || slices.Min(m.push) <= 0 {
		t.Errorf("one new Work %v, bare pushes %v", m.one, m.push)
	}
	for what, took := range map[string]time.Duration{"first": m.first, "unchanged": m.unchanged, "event": m.event, "restart": m.restart, "burst": m.burst} {
		if took <= 0 {
			t.Errorf("%s took %s", what, took)
		}
	}
	if m.firstRSS <= 0 || m.firstPeak < m.firstRSS {
		t.Errorf("memory %d MiB, peak %d MiB", m.firstRSS, m.firstPeak)
	}
	fmt.Fprintln(t.Output(), m)
}
