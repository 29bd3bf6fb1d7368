package soak

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "soak-*")
	if err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "kratix-schedule")
	args := []string{"build", "-o", binary}
	if raced {
		args = append(args, "-race")
	}
	if out, err := exec.Command("go", append(args, "../../cmd/kratix-schedule")...).CombinedOutput(); err != nil { //nolint:gosec // the project's own program
		return binary, fmt.Errorf("build: %w\n%s", err, out)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	status := m.Run()
	if binary, _ := program(); binary != "" {
		_ = os.RemoveAll(filepath.Dir(binary))
	}
	os.Exit(status)
}

func build(t *testing.T) string {
	t.Helper()
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

const patience = 3 * time.Minute

type daemon struct {
	t      *testing.T
	binary string
	args   []string
	log    *os.File

	address string
	process *exec.Cmd
	ended   chan error
	starts  int
}

type usage struct{ mebibytes, goroutines, files int }

func (u usage) most(other usage) usage {
	return usage{max(u.mebibytes, other.mebibytes), max(u.goroutines, other.goroutines), max(u.files, other.files)}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the daemon uses the port afterwards
	return listener.Addr().String()
}

func (d *daemon) start() { d.startWith(d.log) }

func (d *daemon) startOnFullDisk() {
	d.t.Helper()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		d.start()
		return
	}
	if err != nil {
		d.t.Fatal(err)
	}
	defer full.Close() //nolint:errcheck // the process has its own descriptor
	d.startWith(full, "TMPDIR="+filepath.Join(d.t.TempDir(), "missing"))
}

func (d *daemon) startWith(log *os.File, env ...string) {
	d.t.Helper()
	d.starts++
	d.address = freeAddress(d.t)
	d.process = exec.Command(d.binary, append([]string{"run", "--listen", d.address}, d.args...)...) //nolint:gosec // the project's own program
	d.process.Stdout, d.process.Stderr, d.process.Env = log, log, append(os.Environ(), env...)
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	process, ended := d.process, make(chan error, 1)
	d.ended = ended
	go func() { ended <- process.Wait() }()
	d.t.Cleanup(func() { _ = process.Process.Kill() })
}

// signal sends a signal when the process responds. An earlier signal could end the process.
func (d *daemon) signal(signal os.Signal) {
	d.t.Helper()
	d.awaitAlive()
	if err := d.process.Process.Signal(signal); err != nil {
		d.t.Fatalf("%s: %v\n%s", signal, err, d.tail())
	}
}

func (d *daemon) kill() {
	d.t.Helper()
	if err := d.process.Process.Kill(); err != nil {
		d.t.Fatalf("the daemon is gone: %v: %v\n%s", err, <-d.ended, d.tail())
	}
	var killed *exec.ExitError
	if err := <-d.ended; !errors.As(err, &killed) || killed.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL { //nolint:errcheck // on Unix it is one
		d.t.Fatalf("it had ended before it was killed: %v\n%s", err, d.tail())
	}
}

// checkAlive checks that the process has not ended by itself. It restarts the process if another
// program has taken its address.
func (d *daemon) checkAlive() {
	d.t.Helper()
	select {
	case err := <-d.ended:
		listener, taken := net.Listen("tcp", d.address)
		if taken == nil {
			_ = listener.Close()
			d.t.Fatalf("the daemon has ended by itself: %v\n%s", err, d.tail())
		}
		d.t.Logf("%s is another program's", d.address)
		d.start()
	default:
	}
}

func (d *daemon) stop() {
	d.t.Helper()
	d.signal(syscall.SIGTERM)
	select {
	case err := <-d.ended:
		if err != nil {
			d.t.Fatalf("SIGTERM: %v\n%s", err, d.tail())
		}
	case <-time.After(patience):
		d.t.Fatalf("SIGTERM does not end it\n%s", d.tail())
	}
}

func (d *daemon) awaitAlive() {
	d.t.Helper()
	for deadline := time.Now().Add(patience); d.metric("go_goroutines") < 0; time.Sleep(20 * time.Millisecond) {
		d.checkAlive()
		if time.Now().After(deadline) {
			d.t.Fatalf("the daemon does not answer\n%s", d.tail())
		}
	}
}

func (d *daemon) tail() string {
	content, _ := os.ReadFile(d.log.Name())
	return string(content[max(0, len(content)-4000):])
}

func (d *daemon) metric(name string) int {
	for line := range strings.Lines(d.page("/metrics")) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, _ := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int(n)
		}
	}
	return -1
}

func (d *daemon) page(path string) string {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Get("http://" + d.address + path)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	return string(body)
}

func (d *daemon) usage() usage {
	var now usage
	proc := fmt.Sprintf("/proc/%d/", d.process.Process.Pid)
	if status, err := os.ReadFile(proc + "status"); err == nil {
		for line := range strings.Lines(string(status)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kibibytes, _ := strconv.Atoi(strings.Fields(rest)[0])
				now.mebibytes = kibibytes >> 10
			}
		}
	}
	if files, err := os.ReadDir(proc + "fd"); err == nil {
		now.files = len(files)
	}
	now.goroutines = d.metric("go_goroutines")
	return now
}

func (d *daemon) checkRaces() {
	d.t.Helper()
	log, err := os.Open(d.log.Name())
	if err != nil {
		d.t.Fatal(err)
	}
	defer log.Close() //nolint:errcheck // the file was only read
	for lines := bufio.NewReader(log); ; {
		line, err := lines.ReadBytes('\n')
		if bytes.Contains(line, []byte("DATA RACE")) || bytes.HasPrefix(line, []byte("panic:")) {
			rest := make([]byte, 4000)
			n, _ := io.ReadFull(lines, rest)
			d.t.Errorf("the daemon says:\n%s%s", line, rest[:n])
			return
		}
		if err != nil {
			return
		}
	}
}
