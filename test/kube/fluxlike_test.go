package kube

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/test/apiserver"
)

// sourceController is the version of the CustomResourceDefinitions.
const sourceController = "github.com/fluxcd/source-controller@v1.9.0"

const fluxNamespace = "flux-system"

// flux is the real kustomize-controller, with stand-ins for source-controller and
// notification-controller.
type flux struct {
	source   *sourceStandIn
	notifier *notifierStandIn
}

func (p *platform) startFlux(objects, token string) *flux {
	p.t.Helper()
	for _, definition := range []string{
		filepath.Join(apiserver.Download(p.t, "kustomize-controller", "github.com/fluxcd/kustomize-controller").Dir, "config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml"),
		filepath.Join(apiserver.Download(p.t, p.t.TempDir(), sourceController).Dir, "config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml"),
		filepath.Join(apiserver.Download(p.t, p.t.TempDir(), sourceController).Dir, "config/crd/bases/source.toolkit.fluxcd.io_buckets.yaml"),
		filepath.Join(apiserver.Download(p.t, p.t.TempDir(), sourceController).Dir, "config/crd/bases/source.toolkit.fluxcd.io_ocirepositories.yaml"),
	} {
		p.kubectl("apply", "--server-side", "-f", definition)
	}
	p.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	p.kubectl("create", "namespace", fluxNamespace)

	applied, notifier := newNotifier(p.t, objects, token)
	p.apply(applied)
	f := &flux{notifier: notifier, source: newSource(p)}
	run(p.t, "env", "KUBECONFIG="+p.admin, "RUNTIME_NAMESPACE="+fluxNamespace, filepath.Join(root, "bin/kube/kustomize-controller"),
		"--watch-all-namespaces=true", "--enable-leader-election=false", "--events-addr="+notifier.url,
		"--metrics-addr="+address(p.t), "--health-addr="+address(p.t), "--requeue-dependency=1s", "--http-retry=2")
	return f
}

func (p *platform) reconcile(kustomization string) {
	p.t.Helper()
	p.kubectl("annotate", "--overwrite", "--namespace", fluxNamespace, "kustomization/"+kustomization,
		"reconcile.fluxcd.io/requestedAt="+time.Now().Format(time.RFC3339Nano))
}

type sourceStandIn struct {
	p   *platform
	url string

	mu       sync.Mutex
	archives map[string][]byte
	failed   error
}

func newSource(p *platform) *sourceStandIn {
	p.t.Helper()
	s := &sourceStandIn{p: p, archives: map[string][]byte{}}
	s.url = serve(p.t, s)
	done, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			if err := s.fetch(); err != nil {
				s.mu.Lock()
				s.failed = err
				s.mu.Unlock()
			}
			select {
			case <-done:
				return
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	p.t.Cleanup(func() {
		close(done)
		<-stopped
		if s.failed != nil && p.t.Failed() {
			p.t.Logf("the stand-in for source-controller: %v", s.failed)
		}
	})
	return s
}

func (s *sourceStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	archive, ok := s.archives[strings.TrimPrefix(r.URL.Path, "/")]
	s.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_, _ = w.Write(archive)
}

func (s *sourceStandIn) git(args ...string) ([]byte, error) {
	cmd := exec.Command("git", append([]string{"-C", s.p.repository}, args...)...)
	cmd.Env = gittest.Env()
	return cmd.Output()
}

func (s *sourceStandIn) fetch() error {
	out, err := s.git("rev-parse", "--verify", "--quiet", "refs/heads/main")
	if err != nil {
		return nil //nolint:nilerr // the branch does not exist yet
	}
	commit := strings.TrimSpace(string(out))
	s.mu.Lock()
	_, known := s.archives[commit+".tar.gz"]
	s.mu.Unlock()
	if known {
		return nil
	}
	archive, err := s.git("archive", "--format=tar.gz", commit+"^{tree}")
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.archives[commit+".tar.gz"] = archive
	s.mu.Unlock()
	now, revision := time.Now().UTC().Format(time.RFC3339), "main@sha1:"+commit
	digest := sha256.Sum256(archive)
	patch, err := json.Marshal(map[string]any{"status": map[string]any{
		"observedGeneration": 1,
		"artifact": map[string]any{
			"path": "gitrepository/" + commit + ".tar.gz", "url": s.url + "/" + commit + ".tar.gz", "revision": revision,
			"digest": "sha256:" + hex.EncodeToString(digest[:]), "lastUpdateTime": now, "size": len(archive),
		},
		"conditions": []map[string]any{{
			"type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored artifact for revision '" + revision + "'",
			"lastTransitionTime": now, "observedGeneration": 1,
		}},
	}})
	if err != nil {
		return err
	}
	_, err = s.p.try("patch", "gitrepository/worker-1", "--namespace", fluxNamespace, "--subresource=status", "--type=merge", "--patch", string(patch))
	if err != nil {
		s.mu.Lock()
		delete(s.archives, commit+".tar.gz")
		s.mu.Unlock()
	}
	return err
}

// notifierStandIn is a stand-in for notification-controller. It posts signed events of
// kustomize-controller to the address in the Provider.
type notifierStandIn struct {
	url     string
	token   string
	alerts  []fluxAlert
	address string

	mu   sync.Mutex
	seen map[string]bool
	sent []string
}

type fluxAlert struct {
	Spec struct {
		EventSources []struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"eventSources"`
		EventMetadata map[string]string `json:"eventMetadata"`
	} `json:"spec"`
}

func newNotifier(t testing.TB, objects, token string) (others string, n *notifierStandIn) {
	t.Helper()
	n = &notifierStandIn{token: token, seen: map[string]bool{}}
	for document := range strings.SplitSeq(objects, "---\n") {
		var object struct {
			Kind string `json:"kind"`
			Spec struct {
				Type    string `json:"type"`
				Address string `json:"address"`
			} `json:"spec"`
		}
		must(t, yaml.Unmarshal([]byte(document), &object))
		switch object.Kind {
		case "Provider":
			if n.address = object.Spec.Address; object.Spec.Type != "generic-hmac" {
				t.Fatalf("a Provider of type %q", object.Spec.Type)
			}
		case "Alert":
			var alert fluxAlert
			must(t, yaml.Unmarshal([]byte(document), &alert))
			n.alerts = append(n.alerts, alert)
		default:
			others += "---\n" + document
		}
	}
	if n.address == "" || len(n.alerts) != 2 {
		t.Fatalf("one Provider and two Alerts are expected in\n%s", objects)
	}
	n.url = serve(t, n)
	t.Cleanup(func() {
		if t.Failed() {
			n.mu.Lock()
			defer n.mu.Unlock()
			t.Logf("the stand-in for notification-controller has sent:\n%s", strings.Join(n.sent, "\n"))
		}
	})
	return others, n
}

// ServeHTTP receives an event, and drops an event that it has already received.
func (n *notifierStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var event map[string]any
	if err := json.NewDecoder(r.Body).Decode(&event); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	involved, _ := event["involvedObject"].(map[string]any)
	metadata := map[string]string{}
	if sent, ok := event["metadata"].(map[string]any); ok {
		for key, value := range sent {
			metadata[strings.TrimPrefix(key, "kustomize.toolkit.fluxcd.io/")] = fmt.Sprint(value)
		}
	}
	key := fmt.Sprint(involved["kind"], involved["name"], event["message"], metadata["revision"])
	n.mu.Lock()
	seen := n.seen[key]
	n.seen[key] = true
	n.mu.Unlock()
	if seen {
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	for _, alert := range n.alerts {
		for _, source := range alert.Spec.EventSources {
			if source.Kind != involved["kind"] || source.Name != involved["name"] {
				continue
			}
			combined := map[string]string{}
			for key, value := range alert.Spec.EventMetadata {
				combined[key] = value
			}
			for key, value := range metadata {
				combined[key] = value
			}
			event["metadata"] = combined
			body, err := json.Marshal(event)
			if err == nil {
				go n.post(body)
			}
		}
	}
}

func (n *notifierStandIn) post(body []byte) {
	var err error
	time.Sleep(time.Duration(len(body)%7*300) * time.Millisecond)
	for pause := time.Second; pause < 16*time.Second; pause *= 2 {
		if err = n.try(body); err == nil {
			break
		}
		time.Sleep(pause)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var event struct {
		Message  string            `json:"message"`
		Metadata map[string]string `json:"metadata"`
	}
	_ = json.Unmarshal(body, &event)
	n.sent = append(n.sent, fmt.Sprintf("%s %s: %.200s (%s)", time.Now().Format(time.TimeOnly), event.Metadata["revision"], event.Message, text(err)))
}

func (n *notifierStandIn) try(body []byte) error {
	request, err := http.NewRequest(http.MethodPost, n.address, bytes.NewReader(body)) //nolint:noctx // the client has a timeout
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, []byte(n.token))
	_, _ = mac.Write(body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Gotk-Component", "kustomize-controller")
	request.Header.Set("X-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	client := &http.Client{Timeout: 5 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if said, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusAccepted {
		return errors.New(string(said))
	}
	return nil
}

func serve(t testing.TB, handler http.Handler) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", address(t))
	must(t, err)
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	return "http://" + listener.Addr().String()
}
