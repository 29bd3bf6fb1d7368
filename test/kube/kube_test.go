// Package kube tests kratix-schedule in a cluster, with a real API server, the roles in deploy/,
// and real git and S3 servers.
package kube

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

const program = root + "/bin/kratix-schedule"

func TestMain(m *testing.M) {
	for _, needed := range []string{"bin/kratix-schedule", "bin/kube/etcd", "bin/kube/kube-apiserver", "bin/kube/kubectl", "bin/kube/helm", "bin/kube/kustomize-controller"} {
		if _, err := os.Stat(filepath.Join(root, needed)); err != nil {
			fmt.Fprintln(os.Stderr, needed+" is missing: run make e2e-kube")
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

type platform struct {
	*cluster
	repository string
	server     *gittest.Server
}

func newPlatform(t testing.TB, deployment string, flags ...string) *platform {
	t.Helper()
	return platformOn(t, start(t, deployment, flags...))
}

func platformOn(t testing.TB, c *cluster) *platform {
	t.Helper()
	p := &platform{cluster: c, repository: gittest.Bare(t)}
	p.server = gittest.Serve(t, filepath.Dir(p.repository))
	p.secret("git", gittest.Password)
	p.gitStore("default", "")
	return p
}

func (p *platform) secret(name, password string) {
	p.t.Helper()
	p.object(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": "default"},
		"stringData": map[string]string{"username": gittest.User, "password": password, "ca.crt": string(p.server.CA)},
	})
}

func (p *platform) gitStore(name, path string) {
	p.t.Helper()
	p.gitStoreAt(name, p.repository, path)
}

func (p *platform) gitStoreAt(name, repository, path string) {
	p.t.Helper()
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.GitStateStoreKind, "metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"url": p.server.URL + "/" + filepath.Base(repository), "branch": "main", "path": path,
			"secretRef": map[string]any{"name": "git", "namespace": "default"},
		},
	})
}

func (p *platform) destination(name, store, cleanup string, labels map[string]string) {
	p.t.Helper()
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.DestinationKind, "metadata": map[string]any{"name": name, "labels": labels},
		"spec": map[string]any{
			"path": name, "cleanup": cleanup, "stateStoreRef": map[string]any{"kind": kratix.GitStateStoreKind, "name": store},
		},
	})
}

func (p *platform) object(o any) {
	p.t.Helper()
	text, err := yaml.Marshal(o)
	must(p.t, err)
	p.apply(string(text))
}

func work(name string, labels map[string]string, configMaps ...string) *kratix.Work {
	w := testkit.Request(name, testkit.WithPipeline("instance"))
	if labels != nil {
		testkit.WithSelector(labels)(w)
	}
	for _, configMap := range configMaps {
		testkit.WithFile(configMap+".yaml", testkit.ConfigMaps(configMap)+"  namespace: default\n")(w)
	}
	return w
}

// schedule starts the program. It serves no HTTP by default, because concurrent tests would use the
// same address.
func (p *platform) schedule(args ...string) *process {
	p.t.Helper()
	return run(p.t, program, append(p.arguments("--commits-per-minute", "0"), args...)...)
}

// arguments returns the arguments of a daemon beside Kratix, followed by more.
func (p *platform) arguments(more ...string) []string {
	return append([]string{"run", "--kube", "--kubeconfig", p.shipped(), "--interval", "1h", "--listen", "", "--lease-namespace", namespace, "--profile-namespace", namespace}, more...)
}

func (p *platform) files() []string {
	p.t.Helper()
	if gittest.Git(p.t, p.repository, "branch", "--list", "main") == "" {
		return nil
	}
	files := strings.Split(gittest.Git(p.t, p.repository, "ls-tree", "-r", "--name-only", "main"), "\n")
	return slices.DeleteFunc(files, func(f string) bool {
		return f == "" || strings.Contains(f, "canary") || strings.Contains(f, ".kratix/")
	})
}

func (p *platform) waitForFiles(want ...string) {
	p.t.Helper()
	p.eventually("the store", func() string {
		if got := p.files(); !slices.Equal(got, want) {
			return fmt.Sprintf("it has %v, want %v", got, want)
		}
		return ""
	})
}

func (p *platform) counted(address, metric string) float64 {
	p.t.Helper()
	text, err := page(address, "/metrics")
	must(p.t, err)
	sum := 0.0
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, metric) {
			fields := strings.Fields(line)
			value, err := strconv.ParseFloat(fields[len(fields)-1], 64)
			must(p.t, err)
			sum += value
		}
	}
	return sum
}
