package rollout_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/kratix-schedule/kratix-schedule/rollout"
)

var (
	fleets = flag.Int("fleets", 200, "the number of random fleets")
	first  = flag.Uint64("first", 0, "the seed of the first fleet")
)

// cluster is a simulated Destination, with the state of its records and its agent.
type cluster struct {
	name     string
	wave     string
	contents []string
	marks    []rollout.Mark
	joinedAt time.Time
	// deadUntil is the end of an outage of the store. isSilent means that the agent reports nothing.
	deadUntil time.Time
	isSilent  bool
	// appliesIn and healthyIn are the times that the agent takes. fails are the contents on which it
	// fails.
	appliesIn, healthyIn time.Duration
	fails                map[string]bool
	since                time.Time
	passedAt, triedSince time.Time
	isByRun              bool
	// isLate means that it was written after a later wave had begun.
	isLate bool
}

// fleet is a simulated fleet with a rollout. Its clock is virtual.
type fleet struct {
	*rand.Rand
	t        *testing.T
	spec     *rollout.Spec
	clusters []*cluster
	units    int
	version  int
	now      time.Time
	watching time.Time
	memory   rollout.Memory
	undone   map[string]bool
	runStart time.Time
	next     int
	log      []string
	calm     bool
}

func (c *cluster) isMixed() bool {
	return slices.ContainsFunc(c.contents, func(s string) bool { return s != c.contents[0] })
}

func (c *cluster) isPending(f *fleet) bool { return c.isMixed() || c.contents[0] != f.wanted() }

func (f *fleet) wanted() string { return fmt.Sprintf("v%d", f.version) }

func newFleet(t *testing.T, seed uint64) *fleet {
	f := &fleet{
		Rand: rand.New(rand.NewPCG(seed, 1)), t: t, now: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC), //nolint:gosec // a seeded simulation
		undone: map[string]bool{}, version: 1,
	}
	f.watching = f.now
	f.units = 1 + f.IntN(2)
	f.spec = f.randomSpec()
	for range 1 + f.IntN(20) {
		f.join()
	}
	isInstalled := f.IntN(3) > 0
	for _, c := range f.clusters {
		c.joinedAt = time.Time{}
		if isInstalled {
			c.contents = slices.Repeat([]string{"v0"}, f.units)
		}
	}
	return f
}

func (f *fleet) randomSpec() *rollout.Spec {
	gates := []rollout.Gate{rollout.Written, rollout.Applied, rollout.Healthy}
	s := &rollout.Spec{Name: "r", Stable: f.IntN(2) == 0, RollBack: f.IntN(2) == 0, Approved: map[string]bool{}}
	for i := range 1 + f.IntN(4) {
		selector, err := labels.Parse(fmt.Sprintf("wave in (w%d)", i))
		if err != nil {
			f.t.Fatal(err)
		}
		w := rollout.Wave{
			Name: fmt.Sprintf("w%d", i), Destinations: selector, Gate: gates[f.IntN(3)],
			MaxFailures: f.IntN(3), Deadline: time.Duration(20+f.IntN(60)) * time.Minute,
		}
		if f.IntN(4) > 0 {
			w.MaxConcurrent = 1 + f.IntN(4)
		}
		if f.IntN(4) == 0 {
			w.MaxConcurrent, w.Percent = 1+f.IntN(100), true
		}
		if f.IntN(2) == 0 {
			w.Soak = time.Duration(1+f.IntN(30)) * time.Minute
		}
		s.Waves = append(s.Waves, w)
	}
	return s
}

func (f *fleet) join() {
	c := &cluster{
		name: fmt.Sprintf("c%03d", f.next), wave: fmt.Sprintf("w%d", f.IntN(5)), joinedAt: f.now,
		contents: make([]string, f.units), marks: make([]rollout.Mark, f.units), fails: map[string]bool{},
		appliesIn: time.Duration(1+f.IntN(10)) * time.Minute, healthyIn: time.Duration(f.IntN(10)) * time.Minute,
	}
	f.next++
	f.maybeBad(c)
	f.clusters = append(f.clusters, c)
}

// maybeBad may give a cluster a content that fails, a silent agent or a store outage.
func (f *fleet) maybeBad(c *cluster) {
	switch f.IntN(12) {
	case 0:
		c.fails[fmt.Sprintf("v%d", 1+f.IntN(4))] = true
	case 1:
		c.isSilent = true
	case 2:
		c.deadUntil = f.now.Add(time.Duration(f.IntN(240)) * time.Minute)
	case 3:
		c.deadUntil = f.now.AddDate(1, 0, 0)
	}
}

func (f *fleet) input() rollout.Input {
	in := rollout.Input{Spec: f.spec, Revision: f.wanted(), Now: f.now, Watching: f.watching}
	for _, c := range f.clusters {
		t := rollout.Target{Destination: c.name, Labels: rollout.Labels{"wave": c.wave}}
		u := rollout.Unit{Wanted: f.wanted(), Stored: c.contents[0], Mark: c.marks[0], Undone: f.undone[c.name+f.wanted()], Mixed: c.isMixed()}
		f.report(c, &u, 0)
		t.Units = []rollout.Unit{u}
		in.Targets = append(in.Targets, t)
	}
	return in
}

// report sets the agent's report about a content.
func (f *fleet) report(c *cluster, u *rollout.Unit, i int) {
	at := c.marks[i].Since
	if c.isSilent || at.IsZero() {
		return
	}
	applied := at.Add(c.appliesIn)
	healthy := applied.Add(c.healthyIn)
	switch {
	case c.fails[c.contents[i]] && !applied.After(f.now):
		u.Failure, u.FailedAt = "it fails", applied
	case !healthy.After(f.now):
		u.Applied, u.Healthy = applied, healthy
	case !applied.After(f.now):
		u.Applied = applied
	}
}

// step runs one round.
func (f *fleet) step() rollout.Result {
	in := f.input()
	f.memory.Recall(&in)
	made := rollout.Plan(in)
	f.samePlanAfterReading(in, made)
	f.memory.Learn(&in, &made)
	f.checkGates(in, made)
	for i, c := range f.clusters {
		f.carryOut(c, &made, made.Decisions[i])
	}
	f.checkUnmixed()
	return made
}

// samePlanAfterReading checks that a plan is the same after the marks are stored and read again.
func (f *fleet) samePlanAfterReading(in rollout.Input, made rollout.Result) {
	for i := range in.Targets {
		in.Targets[i].Units = slices.Clone(in.Targets[i].Units)
		for u := range in.Targets[i].Units {
			text, err := json.Marshal(in.Targets[i].Units[u].Mark)
			if err != nil {
				f.t.Fatal(err)
			}
			var read rollout.Mark
			if err := json.Unmarshal(text, &read); err != nil {
				f.t.Fatal(err)
			}
			in.Targets[i].Units[u].Mark = read
		}
	}
	if again := rollout.Plan(in); !slices.EqualFunc(again.Decisions, made.Decisions, sameDecision) || again.Phase != made.Phase {
		f.t.Fatalf("another plan after the records were read:\n%v\n%v", made, again)
	}
}

func sameDecision(a, b rollout.Decision) bool {
	isSame := a.Passed.Equal(b.Passed)
	a.Passed, b.Passed = time.Time{}, time.Time{}
	return isSame && a == b
}

func (f *fleet) carryOut(c *cluster, made *rollout.Result, d rollout.Decision) {
	isPending := c.isPending(f)
	switch {
	case d.Action == rollout.Write && isPending:
		f.write(c, made, d)
	case d.Action == rollout.Restore && f.now.After(c.deadUntil):
		former := f.former(c)
		f.log = append(f.log, fmt.Sprint(f.now.Unix(), " restore ", c.name))
		for i := range c.contents {
			c.contents[i], c.marks[i] = former, rollout.Mark{Since: f.now}
		}
		f.undone[c.name+f.wanted()] = true
		c.isByRun = false
	case d.Action == rollout.Stable && f.now.After(c.deadUntil):
		for i := range c.contents {
			c.contents[i], c.marks[i] = "v0", rollout.Mark{Since: f.now}
			if f.runStart.Equal(made.Run) {
				c.marks[i].Joined = made.Run
			}
		}
		c.isByRun = false
	}
}

func (f *fleet) former(*cluster) string { return fmt.Sprintf("v%d", f.version-1) }

// write carries out a decision to write, and checks it.
func (f *fleet) write(c *cluster, made *rollout.Result, d rollout.Decision) {
	if c.triedSince.IsZero() {
		c.triedSince = f.now
	}
	if !f.now.After(c.deadUntil) {
		return
	}
	wasInFlight := f.isInFlight(c) || c.isMixed()
	hadContent := slices.ContainsFunc(c.contents, func(s string) bool { return s != "" && s != f.wanted() })
	crashes := f.units > 1 && !f.calm && f.IntN(20) == 0
	for i := range c.contents {
		if crashes && i > 0 {
			break
		}
		previous := hadContent || c.marks[i].Previous
		c.contents[i], c.marks[i] = f.wanted(), rollout.Mark{Run: made.Run, Since: f.now, Previous: previous, Late: d.Late}
	}
	f.runStart = made.Run
	c.isLate = d.Late
	f.log = append(f.log, fmt.Sprint(f.now.Unix(), " write ", c.name))
	c.since, c.passedAt, c.isByRun = f.now, time.Time{}, true
	if !crashes {
		c.triedSince = time.Time{}
	}
	if wave := f.waveOf(c); !wasInFlight {
		count, size := 0, 0
		for _, other := range f.clusters {
			if f.waveIndex(other) == f.waveIndex(c) {
				size++
				if f.isInFlight(other) {
					count++
				}
			}
		}
		if most := limitOf(wave, size); count > most && wave.Gate != rollout.Written {
			f.t.Fatalf("%s: %d Destinations of wave %d are in flight, and %d may be (%s)", c.name, count, d.Wave, most, d.Reason)
		}
	}
}

func limitOf(w *rollout.Wave, size int) int {
	switch {
	case w.MaxConcurrent == 0:
		return size
	case w.Percent:
		return max(1, (size*w.MaxConcurrent+99)/100)
	}
	return w.MaxConcurrent
}

func (f *fleet) waveIndex(c *cluster) int { return f.spec.WaveOf(rollout.Labels{"wave": c.wave}) }

func (f *fleet) waveOf(c *cluster) *rollout.Wave {
	return &f.spec.Waves[min(f.waveIndex(c), len(f.spec.Waves)-1)]
}

// hasFailed reports whether a Destination has failed with its last content.
func (f *fleet) hasFailed(c *cluster) bool {
	w := f.waveOf(c)
	if !c.isByRun || w.Gate == rollout.Written {
		return false
	}
	isReported := !c.isSilent && c.fails[c.contents[0]] && !c.since.Add(c.appliesIn).After(f.now)
	return isReported || c.passedAt.IsZero() && !f.now.Before(c.since.Add(w.Deadline))
}

// notePassed records which Destinations have passed their gate.
func (f *fleet) notePassed() {
	for _, c := range f.clusters {
		applied := c.since.Add(c.appliesIn)
		at := c.since
		switch f.waveOf(c).Gate {
		case rollout.Applied:
			at = applied
		case rollout.Healthy:
			at = applied.Add(c.healthyIn)
		}
		if f.waveOf(c).Gate != rollout.Written && (c.isSilent || c.fails[c.contents[0]]) {
			continue
		}
		if c.isByRun && c.passedAt.IsZero() && !at.After(f.now) && f.now.Before(c.since.Add(f.waveOf(c).Deadline*100)) {
			c.passedAt = at
		}
	}
}

// isInFlight reports whether a Destination was written, and has neither passed nor failed.
func (f *fleet) isInFlight(c *cluster) bool {
	return c.isByRun && c.passedAt.IsZero() && !f.hasFailed(c)
}

// checkGates checks that no wave begins before all earlier waves are done.
func (f *fleet) checkGates(in rollout.Input, made rollout.Result) {
	f.notePassed()
	for i, d := range made.Decisions {
		c := f.clusters[i]
		isPending := c.isPending(f)
		isBegun := slices.ContainsFunc(c.marks, func(m rollout.Mark) bool { return m.Run.Equal(made.Run) })
		if d.Action != rollout.Write || !isPending || isBegun || c.isMixed() || f.isLast(c, d) {
			continue
		}
		for j, other := range f.clusters {
			if f.waveIndex(other) >= f.waveIndex(c) || !other.joinedAt.IsZero() && other.joinedAt.After(made.Run.Add(-time.Minute)) {
				continue
			}
			f.checkDone(c, other, &in.Targets[j])
		}
	}
}

// isLast reports whether a Destination may be written after all others, because it joined late or
// could not be written in time.
func (f *fleet) isLast(c *cluster, d rollout.Decision) bool {
	isNew := c.contents[0] == "" || !c.marks[0].Joined.IsZero()
	isOld := slices.ContainsFunc(f.clusters, func(o *cluster) bool {
		return o.contents[0] != "" && (o.contents[0] != f.wanted() || o.marks[0].Previous || f.waveIndex(o) > f.waveIndex(c))
	})
	isDead := !c.triedSince.IsZero() && !f.now.Before(c.triedSince.Add(f.waveOf(c).Deadline))
	return d.Late && (isNew && isOld || isDead)
}

func (f *fleet) checkDone(c, earlier *cluster, _ *rollout.Target) {
	w := f.waveOf(earlier)
	isWanted := !slices.ContainsFunc(earlier.contents, func(s string) bool { return s != f.wanted() })
	isDead := !earlier.triedSince.IsZero() && !f.now.Before(earlier.triedSince.Add(w.Deadline))
	isNew := slices.Contains(earlier.contents, "") || slices.ContainsFunc(earlier.marks, func(m rollout.Mark) bool { return !m.Joined.IsZero() })
	switch {
	case earlier.isLate && (isWanted || earlier.isMixed()):
	case !isWanted && !isDead && !isNew:
		f.t.Fatalf("%s of wave %d is written before %s of wave %d", c.name, f.waveIndex(c), earlier.name, f.waveIndex(earlier))
	case isWanted && f.isInFlight(earlier):
		f.t.Fatalf("%s of wave %d is written while %s of wave %d is in flight", c.name, f.waveIndex(c), earlier.name, f.waveIndex(earlier))
	case isWanted && !f.hasFailed(earlier) && earlier.isByRun && !earlier.passedAt.IsZero() && f.now.Before(earlier.passedAt.Add(w.Soak)):
		f.t.Fatalf("%s of wave %d is written while wave %d soaks", c.name, f.waveIndex(c), f.waveIndex(earlier))
	}
	failures := 0
	for _, other := range f.clusters {
		if f.waveIndex(other) == f.waveIndex(earlier) && f.hasFailed(other) && !f.watching.After(other.since) && !other.isLate && other.contents[0] == f.wanted() {
			failures++
		}
	}
	if failures > w.MaxFailures {
		f.t.Fatalf("%s of wave %d is written although %d have failed in wave %d", c.name, f.waveIndex(c), failures, f.waveIndex(earlier))
	}
}

// checkUnmixed checks that a plan ends a state with two contents on a Destination.
func (f *fleet) checkUnmixed() {
	for _, c := range f.clusters {
		if !c.isMixed() || !f.now.After(c.deadUntil) {
			continue
		}
		in := f.input()
		at := slices.Index(f.clusters, c)
		if d := rollout.Plan(in).Decisions[at]; d.Action != rollout.Write && d.Action != rollout.Restore {
			f.t.Fatalf("%s has two contents, %v, and the next round does not end that: %+v", c.name, c.contents, d)
		}
	}
}

// disturb makes a random change between two rounds.
func (f *fleet) disturb(until time.Time) {
	f.now = f.now.Add(time.Duration(1+f.IntN(15)) * time.Minute)
	if f.now.After(until) {
		return
	}
	switch f.IntN(24) {
	case 0:
		f.join()
	case 1:
		if len(f.clusters) > 1 {
			f.clusters = slices.Delete(f.clusters, 0, 1)
		}
	case 2:
		if f.version < 4 {
			f.version++
			for _, c := range f.clusters {
				c.triedSince = time.Time{}
			}
		}
	case 3, 4:
		f.memory, f.watching = rollout.Memory{}, f.now
		for _, c := range f.clusters {
			c.triedSince = time.Time{}
		}
	case 5:
		f.spec.Paused = !f.spec.Paused
	case 6:
		f.maybeBad(f.clusters[f.IntN(len(f.clusters))])
	}
}

func TestRandomFleets(t *testing.T) {
	phases := map[rollout.Phase]int{}
	for seed := *first; seed < *first+uint64(*fleets); seed++ {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			phases[simulate(newFleet(t, seed))]++
		})
	}
	t.Log(phases)
	for _, phase := range []rollout.Phase{rollout.Complete, rollout.Failed, rollout.RolledBack} {
		if phases[phase] == 0 && *fleets >= 100 {
			t.Errorf("no fleet has ended as %s", phase)
		}
	}
}

// simulate runs a fleet until its rollout ends, and returns the last phase.
func simulate(f *fleet) rollout.Phase {
	const longest = 4000
	quiet := f.now.Add(24 * time.Hour)
	for range longest {
		made := f.step()
		f.disturb(quiet)
		if f.now.After(quiet) {
			f.spec.Paused, f.calm = false, true
			switch made.Phase {
			case rollout.Complete, rollout.Failed, rollout.RolledBack:
				return made.Phase
			}
		}
	}
	in := f.input()
	f.memory.Recall(&in)
	made := rollout.Plan(in)
	for i := range in.Targets {
		f.log = append(f.log, fmt.Sprintf("%+v %+v %+v", in.Targets[i], made.Decisions[i], *f.clusters[i]))
	}
	f.t.Fatalf("it does not end: %s: %s\n%+v\n%s", made.Phase, made.Reason, made.Waves, strings.Join(f.log, "\n"))
	return ""
}

// history runs a fleet without outages, and returns its writes. With restarts, another process
// continues after each round.
func history(t *testing.T, seed uint64, restarts bool) string {
	f := newFleet(t, seed)
	f.calm = true
	for i := range f.spec.Waves {
		f.spec.Waves[i].Deadline = time.Hour // a restart begins the deadline again
	}
	for _, c := range f.clusters {
		c.isSilent, c.deadUntil = false, time.Time{}
	}
	for range 300 {
		f.step()
		f.now = f.now.Add(3 * time.Minute)
		if restarts {
			f.memory, f.watching = rollout.Memory{}, f.now
		}
	}
	return strings.Join(f.log, "\n")
}

func TestRestartsChangeNothing(t *testing.T) {
	for seed := range uint64(max(*fleets/4, 1)) {
		if steady, restarted := history(t, seed, false), history(t, seed, true); steady != restarted {
			t.Errorf("seed %d: with restarts\n%s\nwithout\n%s", seed, restarted, steady)
		}
	}
}
