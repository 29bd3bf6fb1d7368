package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestRunReceivesEvents(t *testing.T) {
	tutorial, err := filepath.Abs("../../testdata/elastic-cloud")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	var out, trouble tee
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, []string{"run", "-f", tutorial, "--listen", "127.0.0.1:0", "--events-secret-file", "secret", "--git-events-secret-file", "git-secret"}, streams{out: &out, err: &trouble})
	}()
	waitForOutput(t, &trouble, `"msg":"placed","work":"default/redis`)
	waitForOutput(t, &trouble, `"msg":"no events of Flux and Argo CD are received until the file of --events-secret-file exists","file":"secret"`)
	address := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(trouble.String())[1]

	const secret = "0123456789abcdef"
	send := func() int {
		return sendFlux(t, address, secret, fluxEvent{"info", "Progressing", "Health check passed in 1s", "main@sha1:abc"})
	}
	if status := send(); status != http.StatusNotFound {
		t.Errorf("without the file: status %d", status)
	}
	if status := sendPush(t, address, secret); status != http.StatusNotFound {
		t.Errorf("a webhook without the file: status %d", status)
	}
	if err := os.WriteFile("git-secret", []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status := sendPush(t, address, secret); status != http.StatusAccepted {
		t.Errorf("a webhook: status %d", status)
	}
	if err := os.WriteFile("secret", []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status := send(); status != http.StatusAccepted {
		t.Errorf("with the file: status %d", status)
	}
	waitForOutput(t, &trouble, `"msg":"reported by an agent","agent":"flux","destination":"worker-1","root":"resources","revision":"abc","outcome":"Healthy"`)
	metrics := get(t, "http://"+address+"/metrics")
	for _, want := range []string{`agent_events_total{agent="flux",outcome="Healthy"} 1`, `agent_events_rejected_total{agent="flux",reason="off"} 1`, `agent_events_rejected_total{agent="argocd",reason="unauthorized"} 0`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics have no %s", want)
		}
	}
	stop()
	if code := <-ended; code != exitClean {
		t.Errorf("exit status %d: %s", code, trouble.String())
	}
}

type fluxEvent struct{ severity, reason, message, revision string }

func sendFlux(t *testing.T, address, secret string, e fluxEvent) int {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"involvedObject": map[string]string{"kind": "Kustomization"}, "severity": e.severity, "timestamp": time.Now().Format(time.RFC3339),
		"message": e.message, "reason": e.reason,
		"metadata": map[string]string{"destination": "worker-1", "root": "resources", "revision": e.revision, "health": "checked"},
	})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/api/v1/events/flux", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(body)
	request.Header.Set("X-Signature", fmt.Sprintf("sha256=%x", mac.Sum(nil)))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// sendPush sends a large webhook of GitLab, and returns the status.
func sendPush(t *testing.T, address, secret string) int {
	t.Helper()
	body := `{"ref":"refs/heads/main","project":{"path_with_namespace":"demo/state-store"},"padding":"` + strings.Repeat("x", 100<<10) + `"}`
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/api/v1/events/git", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-Gitlab-Token", secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode
}
