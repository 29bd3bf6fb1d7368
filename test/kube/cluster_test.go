package kube

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	mathrand "math/rand/v2"
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

// root is the root of the repository.
const root = "../.."

// namespace is the namespace of kratix-schedule in deploy/base.
const namespace = "kratix-schedule"

// cluster is an API server and its etcd, with the objects of deploy/ applied.
type cluster struct {
	t   testing.TB
	dir string
	// admin is the kubeconfig of an administrator.
	admin     string
	url       string
	etcd      string
	apiserver *process
	database  *process
	// flags are additional flags of the API server.
	flags []string
}

// start starts a cluster for the duration of the test, with the roles of a directory of
// deploy/ and additional flags of the API server.
func start(t testing.TB, deployment string, flags ...string) *cluster {
	t.Helper()
	c := emptyCluster(t, flags...)
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/crds"))
	c.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	c.kubectl("apply", "-k", filepath.Join(root, "deploy", deployment))
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/secrets"))
	return c
}

// emptyCluster starts a cluster without any objects of ours.
func emptyCluster(t testing.TB, flags ...string) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), flags: flags}
	client, peer := address(t), address(t)
	c.etcd = "http://" + client
	c.database = run(t, filepath.Join(root, "bin/kube/etcd"), "--data-dir", filepath.Join(c.dir, "etcd"), "--unsafe-no-fsync", "--log-level", "error",
		"--listen-client-urls", c.etcd, "--advertise-client-urls", c.etcd, "--listen-peer-urls", "http://"+peer,
		"--initial-advertise-peer-urls", "http://"+peer, "--initial-cluster", "default=http://"+peer)
	c.url = "https://" + address(t)
	c.credentials()
	c.startAPI()
	c.kubectl("create", "namespace", "default", "--dry-run=client", "-o", "yaml")
	c.eventually("namespace default", func() string {
		_, err := c.try("get", "namespace", "default")
		return text(err)
	})
	return c
}

func text(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

const adminToken = "admin-of-a-test"

// credentials writes the API server's certificate and the tokens of its users.
func (c *cluster) credentials() {
	c.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(c.t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(c.t, err)
	private, err := x509.MarshalECPrivateKey(key)
	must(c.t, err)
	c.write("tls.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	c.write("tls.key", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: private})))
	c.write("tokens.csv", adminToken+`,admin,1,"system:masters"`+"\n")
	c.admin = c.kubeconfig("admin", adminToken, c.url)
}

func (c *cluster) write(name, content string) string {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	must(c.t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

func (c *cluster) file(name string) string { return filepath.Join(c.dir, name) }

// kubeconfig writes the kubeconfig of a user.
func (c *cluster) kubeconfig(user, token, url string) string {
	return c.write(user+".kubeconfig", fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: %[3]s, user: {token: %[4]q}}]
contexts: [{name: test, context: {cluster: test, user: %[3]s}}]
current-context: test
`, url, c.file("tls.crt"), user, token))
}

// startAPI starts the API server, and waits until it responds.
func (c *cluster) startAPI() {
	c.t.Helper()
	_, port, err := net.SplitHostPort(strings.TrimPrefix(c.url, "https://"))
	must(c.t, err)
	c.apiserver = run(c.t, filepath.Join(root, "bin/kube/kube-apiserver"), append(c.flags, "--etcd-servers="+c.etcd, "--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1", "--secure-port="+port, "--tls-cert-file="+c.file("tls.crt"), "--tls-private-key-file="+c.file("tls.key"),
		"--client-ca-file="+c.file("tls.crt"), "--token-auth-file="+c.file("tokens.csv"), "--anonymous-auth=false", "--authorization-mode=RBAC",
		"--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://test", "--service-account-signing-key-file="+c.file("tls.key"),
		"--service-account-key-file="+c.file("tls.key"), "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none")...)
	c.eventually("the API server", func() string {
		_, err := c.try("get", "--raw", "/readyz")
		return text(err)
	})
}

// shipped returns the kubeconfig of the ServiceAccount in deploy/, with the rights of the
// roles there.
func (c *cluster) shipped() string {
	c.t.Helper()
	return c.kubeconfig("shipped", c.kubectl("create", "token", "kratix-schedule", "--namespace", namespace, "--duration=2h"), c.url)
}

// kubectl runs kubectl as the admin, and returns its output.
func (c *cluster) kubectl(args ...string) string {
	c.t.Helper()
	said, err := c.try(args...)
	must(c.t, err)
	return said
}

func (c *cluster) try(args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(root, "bin/kube/kubectl"), append([]string{"--kubeconfig", c.admin, "--request-timeout=10s"}, args...)...)
	cmd.Env = append(os.Environ(), "HOME="+c.dir)
	return output(cmd)
}

// apply creates or updates objects written as YAML.
func (c *cluster) apply(yaml string) {
	c.t.Helper()
	cmd := exec.Command(filepath.Join(root, "bin/kube/kubectl"), "--kubeconfig", c.admin, "apply", "--server-side", "--force-conflicts", "-f", "-")
	cmd.Env, cmd.Stdin = append(os.Environ(), "HOME="+c.dir), strings.NewReader(yaml)
	_, err := output(cmd)
	must(c.t, err)
}

// get returns a field of an object, by a JSONPath.
func (c *cluster) get(object, path string) string {
	c.t.Helper()
	said, _ := c.try(append(strings.Fields("get "+object), "-o", "jsonpath="+path)...)
	return said
}

func output(cmd *exec.Cmd) (string, error) {
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[1:], " "), err, trouble.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// condition returns "status reason" of a condition of an object.
func (c *cluster) condition(object, kind string) string {
	c.t.Helper()
	at := fmt.Sprintf(`{.status.conditions[?(@.type==%q)]`, kind)
	return c.get(object, at+".status} "+at+".reason}")
}

// patience is how long an operation may take on a busy machine.
const patience = 40 * time.Second

// eventually waits until problem returns "".
func (c *cluster) eventually(what string, problem func() string) {
	c.t.Helper()
	var last string
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(100 * time.Millisecond) {
		if last = problem(); last == "" {
			return
		}
	}
	c.t.Fatalf("%s: %s", what, last)
}

// becomes waits until a field of an object has a value.
func (c *cluster) becomes(object, path, want string) {
	c.t.Helper()
	c.eventually(object+" "+path, func() string {
		if got := c.get(object, path); got != want {
			return fmt.Sprintf("it is %q, want %q", got, want)
		}
		return ""
	})
}

// comesTo waits until a condition has a status and a reason.
func (c *cluster) comesTo(object, kind, want string) {
	c.t.Helper()
	c.eventually(object+" "+kind, func() string {
		if got := c.condition(object, kind); got != want {
			return fmt.Sprintf("it is %q, want %q", got, want)
		}
		return ""
	})
}

// process is a program started by a test.
type process struct {
	cmd  *exec.Cmd
	done chan struct{}
	mu   sync.Mutex
	said bytes.Buffer
}

// run starts a program. It ends with the test; if the test fails, its output is shown.
func run(t testing.TB, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(name, args...), done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p, p
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			said := p.String()
			const enough = 4000
			t.Logf("%s said: %s", filepath.Base(name), said[max(0, len(said)-enough):])
		}
	})
	return p
}

func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.Write(text)
}

func (p *process) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.said.String()
}

// kill kills a program with SIGKILL.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop sends SIGTERM to a program, and waits for its end.
func (p *process) stop(t testing.TB) {
	t.Helper()
	must(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

// ports are allocated one after the other and only once, because tests run concurrently. They
// are below the range that the kernel uses for connections.
var ports struct {
	sync.Mutex
	next int
}

// The range of ports; each process starts at a different one.
const firstPort, lastPort = 15000, 32000

// address returns a free address that no other test gets.
func address(t testing.TB) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	if ports.next == 0 {
		ports.next = firstPort + mathrand.N(lastPort-firstPort)
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

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// page returns a process's response for a path.
func page(address, path string) (string, error) {
	answer, err := http.Get("http://" + address + path) //nolint:noctx // the test's own process
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errors.New(string(body))
	}
	return string(body), err
}
