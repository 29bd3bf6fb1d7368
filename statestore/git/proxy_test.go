package git_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// throughProxy is the main function of a child process, because a process reads its proxy settings
// once. It reads, writes and probes a store, and prints the results.
func throughProxy(url, ca string) int {
	store, err := git.Open(git.Config{
		Name: "GitStateStore default", URL: url, CABundle: []byte(ca), Now: time.Now,
		Auth: git.Auth{Username: gittest.User, Password: gittest.Password},
	})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	state, err := store.Read(context.Background())
	fmt.Printf("read: %v\n", errorText(err))
	_, err = store.Apply(context.Background(), statestore.ChangeSet{Base: state.Revision, Write: placements("through", 1)})
	fmt.Printf("write: %v\nprobe: %v\n", errorText(err), errorText(store.Probe(context.Background())))
	return 0
}

type connector struct {
	*httptest.Server
	server string // host:port
	answer int    // status of the response to CONNECT, or zero to connect

	mu   sync.Mutex
	seen []string
}

func newConnector(t *testing.T, server string, answer int) *connector {
	t.Helper()
	c := &connector{server: server, answer: answer}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *connector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
	c.mu.Lock()
	c.seen = append(c.seen, strings.TrimSpace(strings.Join([]string{r.Method, r.Host, user, password}, " ")))
	c.mu.Unlock()
	if c.answer != 0 {
		http.Error(w, "no", c.answer)
		return
	}
	upstream, err := net.Dial("tcp", c.server)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	io.WriteString(client, "HTTP/1.1 200 Connected\r\n\r\n") //nolint:errcheck // either end may close
	go func() {
		io.Copy(upstream, client) //nolint:errcheck // either end may close
		upstream.Close()          //nolint:errcheck // either end may close
	}()
	io.Copy(client, upstream) //nolint:errcheck // either end may close
	client.Close()            //nolint:errcheck // either end may close
}

func (c *connector) asked() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.seen)
	return strings.Join(slices.Compact(c.seen), ", ")
}

func inProcess(t *testing.T, url, ca string, environment ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	for _, line := range gittest.Env() {
		if name, _, _ := strings.Cut(strings.ToLower(line), "="); !strings.HasSuffix(name, "_proxy") {
			cmd.Env = append(cmd.Env, line)
		}
	}
	cmd.Env = append(cmd.Env, "KRATIX_SCHEDULE_PROXIED="+url, "KRATIX_SCHEDULE_CA="+ca)
	cmd.Env = append(cmd.Env, environment...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if strings.Contains(string(out), "s3cret") {
		t.Errorf("a secret in %s", out)
	}
	return string(out)
}

const allWell = "read: <nil>\nwrite: <nil>\nprobe: <nil>\n"

func TestProxyOfTheEnvironmentIsUsed(t *testing.T) {
	repository := gittest.Bare(t)
	server := gittest.Serve(t, filepath.Dir(repository))
	proxy := newConnector(t, server.Listener.Addr().String(), 0)
	withPassword := strings.Replace(proxy.URL, "http://", "http://us:s3cret-proxy@", 1)
	// The server's certificate is valid for example.com.
	out := inProcess(t, "https://example.com/store.git", string(server.CA), "HTTPS_PROXY="+withPassword)
	if out != allWell || proxy.asked() != "CONNECT example.com:443 us s3cret-proxy" {
		t.Errorf("%sthe proxy was asked %s", out, proxy.asked())
	}
	storetest.Holds(t, open(t, git.Config{URL: repository, Path: "worker-0/resources/default/app/through-0/5058f"}), contents(placements("through", 1)))
}

func TestNO_PROXYIsRespected(t *testing.T) {
	repository := gittest.Bare(t)
	config := intercepted(t, repository, func(next http.Handler, w http.ResponseWriter, r *http.Request) { next.ServeHTTP(w, r) })
	proxy := newConnector(t, "127.0.0.1:1", http.StatusProxyAuthRequired)
	// Requests to loopback addresses never use a proxy. 0.0.0.0 is not one, but it reaches this
	// machine.
	url := strings.Replace(config.URL, "127.0.0.1", "0.0.0.0", 1)
	out := inProcess(t, url, "", "HTTP_PROXY="+proxy.URL, "NO_PROXY=other.example.com,0.0.0.0")
	if out != allWell || proxy.asked() != "" {
		t.Errorf("%sthe proxy was asked %s", out, proxy.asked())
	}
	out = inProcess(t, url, "", "HTTP_PROXY="+proxy.URL, "NO_PROXY=other.example.com")
	if !strings.Contains(out, "check the proxy that HTTPS_PROXY or HTTP_PROXY names") || !strings.Contains(proxy.asked(), "GET 0.0.0.0") {
		t.Errorf("%sthe proxy was asked %s", out, proxy.asked())
	}
}

func TestFailingProxyIsNamed(t *testing.T) {
	gone := newConnector(t, "", 0)
	gone.Close()
	refusing := newConnector(t, "", http.StatusProxyAuthRequired)
	for name, c := range map[string]struct {
		proxy *connector
		want  string
	}{
		"down":    {gone, "proxyconnect tcp: dial tcp " + gone.Listener.Addr().String()},
		"refuses": {refusing, "the proxy " + refusing.Listener.Addr().String() + " refuses the connection: 407 Proxy Authentication Required"},
	} {
		out := inProcess(t, "https://example.com/store.git", "", "HTTPS_PROXY="+strings.Replace(c.proxy.URL, "http://", "http://us:s3cret-proxy@", 1))
		if strings.Count(out, c.want) != 3 || strings.Count(out, "(check the proxy that HTTPS_PROXY") != 3 {
			t.Errorf("%s: %s", name, out)
		}
	}
}
