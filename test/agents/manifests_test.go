package agents_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/test/apiserver"
)

// The modules with the CustomResourceDefinitions, and the directory of the API server.
const (
	kustomizeController    = "github.com/fluxcd/kustomize-controller@v1.9.5"
	sourceController       = "github.com/fluxcd/source-controller@v1.9.3"
	notificationController = "github.com/fluxcd/notification-controller/api@v1.9.3"
	argoCD                 = "github.com/argoproj/argo-cd/v3@v3.5.0"
	bin                    = "../../bin/kube"
)

func definitions(t *testing.T) []string {
	t.Helper()
	files := []string{
		filepath.Join(apiserver.Download(t, t.TempDir(), kustomizeController).Dir, "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"),
		filepath.Join(apiserver.Download(t, t.TempDir(), sourceController).Dir, "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml"),
		filepath.Join(apiserver.Download(t, t.TempDir(), sourceController).Dir, "config/crd/bases/source.toolkit.fluxcd.io_buckets.yaml"),
		filepath.Join(apiserver.Download(t, t.TempDir(), sourceController).Dir, "config/crd/bases/source.toolkit.fluxcd.io_ocirepositories.yaml"),
		filepath.Join(apiserver.Download(t, t.TempDir(), argoCD).Dir, "manifests/crds/application-crd.yaml"),
	}
	types := t.TempDir()
	if err := os.CopyFS(types, os.DirFS(apiserver.Download(t, t.TempDir(), notificationController).Dir)); err != nil {
		t.Fatal(err)
	}
	generator := filepath.Join(types, "controller-gen")
	run(t, "../..", "go", "build", "-modfile=go.tool.mod", "-o", generator, "sigs.k8s.io/controller-tools/cmd/controller-gen")
	run(t, types, generator, "crd", "paths=./v1beta3/...", "output:crd:dir="+types)
	for _, kind := range []string{"alerts", "providers"} {
		files = append(files, filepath.Join(types, "notification.toolkit.fluxcd.io_"+kind+".yaml"))
	}
	return files
}

func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	out, err := tryRun(t, dir, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

func tryRun(t *testing.T, dir, name string, args ...string) (string, error) {
	t.Helper()
	command := exec.CommandContext(t.Context(), name, args...)
	command.Dir = dir
	out, err := command.CombinedOutput()
	return string(out), err
}

func kubectl(t *testing.T, server *apiserver.Server, args ...string) (string, error) {
	t.Helper()
	program, err := filepath.Abs(filepath.Join(bin, "kubectl"))
	if err != nil {
		t.Fatal(err)
	}
	return tryRun(t, ".", program, append([]string{"--kubeconfig", server.Admin}, args...)...)
}

func TestManifestsAreAccepted(t *testing.T) {
	if _, err := os.Stat(filepath.Join(bin, "kube-apiserver")); err != nil {
		t.Fatal("bin/kube/kube-apiserver is missing: run make kube-servers")
	}
	server := apiserver.Start(t, bin)
	must := func(args ...string) {
		t.Helper()
		if out, err := kubectl(t, server, args...); err != nil {
			t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	for _, file := range definitions(t) {
		must("apply", "--server-side", "-f", file)
	}
	must("wait", "--for=condition=established", "--timeout=60s", "crds", "--all")
	must("create", "namespace", "flux-system")

	golden, err := filepath.Glob("../../internal/agent/manifests/testdata/*/*.yaml")
	if err != nil || len(golden) < 10 {
		t.Fatal(golden, err)
	}
	judged := 0
	for _, file := range golden {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(string(content), "error: ") {
			continue
		}
		judged++
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			out, err := kubectl(t, server, "apply", "--server-side", "--validate=strict", "-f", file)
			if err != nil || strings.Contains(out, "Warning") {
				t.Errorf("%v\n%s", err, out)
			}
			for _, wrong := range []struct{ from, to string }{{"  wait: true", "  waits: true"}, {"type: generic-hmac", "type: hmac"}, {"selfHeal: true", "selfHeal: often"}} {
				changed := strings.Replace(string(content), wrong.from, wrong.to, 1)
				if changed == string(content) {
					continue
				}
				broken := filepath.Join(t.TempDir(), "broken.yaml")
				if err := os.WriteFile(broken, []byte(changed), 0o600); err != nil {
					t.Fatal(err)
				}
				if out, err := kubectl(t, server, "apply", "--server-side", "--validate=strict", "-f", broken); err == nil {
					t.Errorf("%s is accepted\n%s", wrong.to, out)
				}
			}
		})
	}
	if judged < 10 {
		t.Errorf("%d manifests were judged", judged)
	}
}
