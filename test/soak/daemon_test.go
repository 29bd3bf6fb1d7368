package soak

import (
	"bufio"
	"fmt"
	"io"
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

// build builds the program that is tested.
func build(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "kratix-schedule")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/kratix-schedule").CombinedOutput(); err != nil { //nolint:gosec // the project's own program
		t.Fatalf("build: %v\n%s", err, out)
	}
	return binary
}

// daemon is the program at work.
type daemon struct {
	t       *testing.T
	binary  string
	args    []string
	log     *os.File
	address string
	process *exec.Cmd
	most    usage
	starts  int
}

// usage is what the process takes.
type usage struct{ mebibytes, goroutines, files int }

// freeAddress gives an address on loopback that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // nobody uses it
	return listener.Addr().String()
}

func (d *daemon) start() {
	d.t.Helper()
	d.starts++
	d.process = exec.Command(d.binary, append([]string{"run", "--listen", d.address}, d.args...)...) //nolint:gosec // the project's own program
	d.process.Stdout, d.process.Stderr = d.log, d.log
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
}

// stop ends the process by a signal. One that may finish first has to.
func (d *daemon) stop(signal syscall.Signal) {
	d.t.Helper()
	if signal == syscall.SIGTERM {
		d.awaitAlive() // before, there is nobody who could finish first
	}
	if err := d.process.Process.Signal(signal); err != nil {
		d.t.Fatalf("the daemon is gone: %v\n%s", err, d.tail())
	}
	done := make(chan error, 1)
	go func() { done <- d.process.Wait() }()
	select {
	case err := <-done:
		if signal == syscall.SIGTERM && err != nil {
			d.t.Fatalf("SIGTERM: %v\n%s", err, d.tail())
		}
	case <-time.After(60 * time.Second):
		d.t.Fatalf("%s does not end it\n%s", signal, d.tail())
	}
}

// awaitAlive waits until the process answers.
func (d *daemon) awaitAlive() {
	d.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); d.metric("go_goroutines") < 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.t.Fatalf("the daemon does not answer\n%s", d.tail())
		}
	}
}

// tail gives the end of the log.
func (d *daemon) tail() string {
	content, _ := os.ReadFile(d.log.Name())
	return string(content[max(0, len(content)-4000):])
}

// metric reads one of the daemon's metrics; -1 when it does not answer.
func (d *daemon) metric(name string) int {
	client := http.Client{Timeout: 5 * time.Second}
	answer, err := client.Get("http://" + d.address + "/metrics")
	if err != nil {
		return -1
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			n, _ := strconv.ParseFloat(value, 64)
			return int(n)
		}
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	return -1
}

// observe remembers the most that the process has taken.
func (d *daemon) observe() {
	proc := fmt.Sprintf("/proc/%d/", d.process.Process.Pid)
	if status, err := os.ReadFile(proc + "status"); err == nil {
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kibibytes, _ := strconv.Atoi(strings.Fields(rest)[0])
				d.most.mebibytes = max(d.most.mebibytes, kibibytes>>10)
			}
		}
	}
	if files, err := os.ReadDir(proc + "fd"); err == nil {
		d.most.files = max(d.most.files, len(files))
	}
	d.most.goroutines = max(d.most.goroutines, d.metric("go_goroutines"))
}
