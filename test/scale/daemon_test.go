package scale

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func buildDaemon(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "kratix-schedule")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/kratix-schedule").CombinedOutput(); err != nil { //nolint:gosec // the project's own program
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

type daemon struct {
	t       testing.TB
	binary  string
	source  string
	env     []string
	log     *os.File
	address string
	process *exec.Cmd
}

func freeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the daemon uses the port afterwards
	return listener.Addr().String()
}

func (d *daemon) start() {
	d.t.Helper()
	d.address = freeAddress(d.t)
	d.process = exec.Command(d.binary, "run", "-f", d.source, "--listen", d.address, "--interval", "1h", "--commits-per-minute", "0", "--pprof", "--check-apply", *checkApply) //nolint:gosec // the project's own program
	d.process.Env = append(os.Environ(), d.env...)
	d.process.Stdout, d.process.Stderr = d.log, d.log
	d.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // ends the daemon if the test is killed
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
}

func (d *daemon) stop() {
	if d.process == nil {
		return
	}
	_ = d.process.Process.Signal(syscall.SIGTERM)
	_ = d.process.Wait()
	d.process = nil
}

func (d *daemon) logTail() string {
	content, _ := os.ReadFile(d.log.Name())
	return string(content[max(0, len(content)-4000):])
}

func (d *daemon) metrics() map[string]float64 {
	client := http.Client{Timeout: 10 * time.Second}
	values := map[string]float64{}
	answer, err := client.Get("http://" + d.address + "/metrics")
	if err != nil {
		return values
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "} "); ok {
			values[name+"}"], _ = strconv.ParseFloat(value, 64)
		} else if name, value, ok := strings.Cut(lines.Text(), " "); ok {
			values[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return values
}

func (d *daemon) waitFor(what string, ready func(map[string]float64) bool) map[string]float64 {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if values := d.metrics(); ready(values) {
			return values
		}
		if time.Now().After(deadline) {
			d.t.Fatalf("%s: not within 20 minutes\n%s", what, d.logTail())
		}
	}
}

func (d *daemon) waitForPlacements(works int) map[string]float64 {
	d.t.Helper()
	return d.waitFor(fmt.Sprintf("%d Works placed", works), func(values map[string]float64) bool {
		return int(values[`kratix_schedule_placements{state="placed"}`]+values[`kratix_schedule_placements{state="unchanged"}`]) == works
	})
}

const (
	roundCount = "kratix_schedule_round_duration_seconds_count"
	roundSum   = "kratix_schedule_round_duration_seconds_sum"
)

func (d *daemon) runFullRound() time.Duration {
	d.t.Helper()
	before := d.metrics()
	if err := d.process.Process.Signal(syscall.SIGHUP); err != nil {
		d.t.Fatal(err)
	}
	after := d.waitFor("a round", func(values map[string]float64) bool { return values[roundCount] > before[roundCount] })
	return duration(after[roundSum]-before[roundSum]) / time.Duration(after[roundCount]-before[roundCount])
}

func duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

func (d *daemon) memory() (now, most int) {
	d.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.process.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	mebibytes := func(name string) int {
		_, rest, _ := strings.Cut(string(status), "\n"+name+":")
		kibibytes, _ := strconv.Atoi(strings.Fields(rest + " 0")[0])
		return kibibytes >> 10
	}
	return mebibytes("VmRSS"), mebibytes("VmHWM")
}

func (d *daemon) cpuTime() time.Duration {
	d.t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.process.Process.Pid))
	if err != nil {
		d.t.Fatal(err)
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100 on all platforms that Go supports
}
