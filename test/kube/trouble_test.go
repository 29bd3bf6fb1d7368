package kube

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func TestRestartedAPIServerIsWatchedAgain(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	p.destination("worker-1", "default", "none", nil)
	p.schedule()
	p.object(work("a", nil, "one"))
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.apiserver.kill()
	p.startAPI()
	p.object(work("b", nil, "two"))
	p.waitForCondition("work/b", "Ready", "True AllWorkplacementsScheduled")
	p.kubectl("delete", "work/a")
	p.waitForFiles("worker-1/resources/default/redis/b/instance/5058f/two.yaml")
}

func TestDroppedWatchIsRestarted(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	line := newLine(t, strings.TrimPrefix(p.url, "https://"))
	p.destination("worker-1", "default", "none", nil)
	token := p.kubectl("create", "token", "kratix-schedule", "--namespace", namespace)
	run(t, program, "run", "--kube", "--interval", "1h", "--commits-per-minute", "0", "--listen", "", "--kubeconfig", p.kubeconfig("cut", token, "https://"+line.address))
	p.object(work("a", nil, "one"))
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	for i := range 3 {
		line.cut()
		name := fmt.Sprintf("b%d", i)
		p.object(work(name, nil, name))
		p.waitForCondition("work/"+name, "Ready", "True AllWorkplacementsScheduled")
	}
}

type line struct {
	address string
	mu      sync.Mutex
	open    []net.Conn
}

func newLine(t *testing.T, server string) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it ends with the test
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	l := &line{address: listener.Addr().String()}
	go func() {
		for {
			in, err := listener.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", server) //nolint:noctx // it ends with the test
			if err != nil {
				_ = in.Close()
				continue
			}
			l.mu.Lock()
			l.open = append(l.open, in, out)
			l.mu.Unlock()
			go pass(in, out)
			go pass(out, in)
		}
	}()
	return l
}

func pass(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
	_ = from.Close()
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.open {
		_ = conn.Close()
	}
	l.open = nil
}

func TestAnotherReplicaTakesOver(t *testing.T) {
	p := newPlatform(t, "base")
	p.destination("worker-1", "default", "none", nil)
	first := p.schedule("--leader-elect", "--lease-duration", "3s")
	p.object(work("a", nil, "one"))
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	at := address(t)
	second := p.schedule("--leader-elect", "--lease-duration", "3s", "--listen", at)
	p.eventually("the standby", func() string {
		said, err := page(at, "/readyz")
		if err == nil && !strings.Contains(said, "another replica leads") {
			return said
		}
		return text(err)
	})
	const more = 20
	var files []string
	for i := range more {
		name := fmt.Sprintf("b%02d", i)
		p.object(work(name, nil, name))
		files = append(files, "worker-1/resources/default/redis/"+name+"/instance/5058f/"+name+".yaml")
		if i == more/2 {
			first.kill()
		}
	}
	p.waitForFiles(append([]string{"worker-1/resources/default/redis/a/instance/5058f/one.yaml"}, files...)...)
	for i := range more {
		p.waitForCondition(fmt.Sprintf("work/b%02d", i), "Ready", "True AllWorkplacementsScheduled")
	}
	for _, file := range files {
		if got := gittest.Git(t, p.repository, "log", "--format=%h", "main", "--", file); strings.Contains(got, "\n") {
			t.Errorf("%s was written more than once: %s", file, got)
		}
	}
	second.stop(t)
	third := p.schedule("--leader-elect", "--lease-duration", "3s")
	p.object(work("c", nil, "three"))
	p.waitForCondition("work/c", "Ready", "True AllWorkplacementsScheduled")
	third.stop(t)
}
