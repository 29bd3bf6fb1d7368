package apiserver

import (
	"bytes"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Patience is the usual maximum time to wait for an operation.
const Patience = 40 * time.Second

// Process is a program that a test has started.
type Process struct {
	Cmd  *exec.Cmd
	done chan struct{}
	mu   sync.Mutex
	said bytes.Buffer
}

// Run starts a program, and kills it when the test ends.
func Run(t testing.TB, name string, args ...string) *Process {
	t.Helper()
	p := &Process{Cmd: exec.Command(name, args...), done: make(chan struct{})} //nolint:gosec,noctx // the program ends with the test
	p.Cmd.Stdout, p.Cmd.Stderr = p, p
	p.Cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.Cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			said := p.String()
			const enough = 1500
			t.Logf("%s said: %s", filepath.Base(name), said[max(0, len(said)-enough):])
		}
	})
	return p
}

// Write appends to the output of the program.
func (p *Process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(text)
}

// String returns the output of the program so far.
func (p *Process) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// Kill kills the program with SIGKILL and waits for its end.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill()
	<-p.done
}

// Stop sends SIGTERM to the program and waits for its end.
func (p *Process) Stop(t testing.TB) {
	t.Helper()
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(Patience):
		t.Fatal("it does not end")
	}
}

// Done returns a channel that is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// The ports for tests are below Linux's default range of ephemeral ports.
const firstPort, lastPort = 15000, 32000

//nolint:gochecknoglobals // ports are a resource of the whole process
var ports struct {
	sync.Mutex
	next int
}

// Address returns a free local TCP address, such as "127.0.0.1:15000".
func Address(t testing.TB) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		ports.next = firstPort + rand.N(lastPort-firstPort) //nolint:gosec // not a secret
	}
	var config net.ListenConfig
	for range lastPort - firstPort {
		at := net.JoinHostPort("127.0.0.1", strconv.Itoa(ports.next))
		if ports.next++; ports.next >= lastPort {
			ports.next = firstPort
		}
		if listener, err := config.Listen(t.Context(), "tcp", at); err == nil {
			_ = listener.Close()
			return at
		}
	}
	t.Fatal("no port is free")
	return ""
}
