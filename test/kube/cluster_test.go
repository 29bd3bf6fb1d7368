package kube

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/test/apiserver"
)

const root = "../.."

const namespace = "kratix-schedule"

type cluster struct {
	*apiserver.Server
	t         testing.TB
	dir       string
	admin     string
	url       string
	apiserver *process
	database  *process
}

func start(t testing.TB, deployment string, flags ...string) *cluster {
	t.Helper()
	c := emptyCluster(t, flags...)
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/crds"))
	c.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	c.kubectl("apply", "-k", filepath.Join(root, "deploy", deployment))
	c.kubectl("apply", "-k", filepath.Join(root, "deploy/secrets"))
	return c
}

func emptyCluster(t testing.TB, flags ...string) *cluster {
	t.Helper()
	server := apiserver.Start(t, filepath.Join(root, "bin/kube"), flags...)
	return &cluster{Server: server, t: t, dir: server.Dir, admin: server.Admin, url: server.URL, apiserver: &process{server.API}, database: &process{server.Database}}
}

func text(err error) string {
	if err != nil {
		return err.Error()
	}
	return ""
}

const adminToken = apiserver.AdminToken

func (c *cluster) kubeconfig(user, token, url string) string {
	c.t.Helper()
	path, err := c.Kubeconfig(user, token, url)
	must(c.t, err)
	return path
}

func (c *cluster) startAPI() {
	c.t.Helper()
	c.StartAPI(c.t)
	c.apiserver = &process{c.API}
}

func (c *cluster) write(name, content string) string {
	c.t.Helper()
	must(c.t, os.WriteFile(c.File(name), []byte(content), 0o600))
	return c.File(name)
}

func (c *cluster) shipped() string {
	c.t.Helper()
	return c.kubeconfig("shipped", c.kubectl("create", "token", "kratix-schedule", "--namespace", namespace, "--duration=2h"), c.url)
}

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

func (c *cluster) apply(yaml string) {
	c.t.Helper()
	cmd := exec.Command(filepath.Join(root, "bin/kube/kubectl"), "--kubeconfig", c.admin, "apply", "--server-side", "--force-conflicts", "-f", "-")
	cmd.Env, cmd.Stdin = append(os.Environ(), "HOME="+c.dir), strings.NewReader(yaml)
	_, err := output(cmd)
	must(c.t, err)
}

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

func (c *cluster) condition(object, kind string) string {
	c.t.Helper()
	at := fmt.Sprintf(`{.status.conditions[?(@.type==%q)]`, kind)
	return c.get(object, at+".status} "+at+".reason}")
}

// patience is longer than the pause after which Flux tries again.
const patience = 3 * time.Minute

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

func (c *cluster) waitForField(object, path, want string) {
	c.t.Helper()
	c.eventually(object+" "+path, func() string {
		if got := c.get(object, path); got != want {
			return fmt.Sprintf("it is %q, want %q", got, want)
		}
		return ""
	})
}

func (c *cluster) waitForCondition(object, kind, want string) {
	c.t.Helper()
	c.eventually(object+" "+kind, func() string {
		if got := c.condition(object, kind); got != want {
			return fmt.Sprintf("it is %q, want %q", got, want)
		}
		return ""
	})
}

type process struct{ *apiserver.Process }

func run(t testing.TB, name string, args ...string) *process {
	t.Helper()
	return &process{apiserver.Run(t, name, args...)}
}

func (p *process) kill() { p.Kill() }

func (p *process) stop(t testing.TB) {
	t.Helper()
	p.Stop(t)
}

func address(t testing.TB) string {
	t.Helper()
	return apiserver.Address(t)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

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
