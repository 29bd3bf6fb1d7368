package soak

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

type figures struct {
	before, after usage
	most          [4]usage
	logged        [4]int64
	took          time.Duration
	empty         int
}

func quarterOf(past, whole time.Duration) int { return int(min(3, 4*past/max(1, whole))) }

func (f *figures) note(quarter int, now usage, logged int64) {
	f.most[quarter] = f.most[quarter].most(now)
	f.logged[quarter] = logged
}

const (
	firstMark = "<!-- Written by `make soak`: begin. -->\n"
	lastMark  = "<!-- Written by `make soak`: end. -->\n"
)

func (w *trial) report() {
	w.t.Helper()
	text := w.page()
	w.t.Log("\n" + text)
	w.checkGrowth()
	if *write == "" || w.t.Failed() {
		return
	}
	document, err := os.ReadFile(*write)
	if err != nil {
		w.t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(document), firstMark)
	_, after, ends := strings.Cut(rest, lastMark)
	if !begins || !ends {
		w.t.Fatalf("%s has no marks to put the figures between", *write)
	}
	if err := os.WriteFile(*write, []byte(before+firstMark+"\n"+text+"\n"+lastMark+after), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *trial) page() string {
	var page strings.Builder
	say := func(format string, values ...any) { fmt.Fprintf(&page, format, values...) }
	detector := ""
	if raced {
		detector = ", with the race detector"
	}
	total := 0
	for _, n := range w.counts {
		total += n
	}
	say("`make soak SOAK=%s SEED=%d`%s, on %d cores (%s), %s/%s, %s: %d faults in %s, %d starts of the daemon, %s commits.\n\n",
		shortly(*duration), *seed, detector, runtime.NumCPU(), processor(), runtime.GOOS, runtime.GOARCH, runtime.Version(), total,
		w.figures.took.Round(time.Second), w.daemon.starts, gittest.Commits(w.t, w.repository, "main"))
	say("| What happened | Times |\n|---|---:|\n")
	for _, f := range faults() {
		say("| %s | %d |\n", f.name, w.counts[f.name])
	}
	say("\n| The daemon took | MiB | goroutines | open files | log, KiB |\n|---|---:|---:|---:|---:|\n")
	row := func(when string, u usage, logged int64) {
		say("| %s | %d | %d | %d | %d |\n", when, u.mebibytes, u.goroutines, u.files, logged>>10)
	}
	row("at rest before", w.figures.before, 0)
	for i, most := range w.figures.most {
		row(fmt.Sprintf("at most in quarter %d", i+1), most, w.figures.logged[i])
	}
	row("at rest after", w.figures.after, w.logged())
	return page.String()
}

// The limits for the growth of the idle daemon, and of the log for each fault.
const (
	moreGoroutines = 20
	moreFiles      = 20
	moreMebibytes  = 512
	logOfAFault    = 64 << 10
)

func (w *trial) checkGrowth() {
	w.t.Helper()
	before, after := w.figures.before, w.figures.after
	if after.goroutines > before.goroutines+moreGoroutines || after.files > before.files+moreFiles || after.mebibytes > before.mebibytes+moreMebibytes {
		w.t.Errorf("at rest the daemon took %+v before and takes %+v after", before, after)
	}
	faults := 100 // the start of the trial may log as much as 100 faults
	for _, n := range w.counts {
		faults += n
	}
	if logged := w.logged(); logged > int64(faults)*logOfAFault {
		w.t.Errorf("%d KiB of log of %d faults", logged>>10, faults)
	}
}

func shortly(d time.Duration) string {
	text := d.String()
	for _, nothing := range []string{"m0s", "h0m"} {
		if rest, ok := strings.CutSuffix(text, nothing); ok {
			text = rest + nothing[:1]
		}
	}
	return text
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
