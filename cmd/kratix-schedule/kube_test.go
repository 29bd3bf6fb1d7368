package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func kubeconfig(t *testing.T, server string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	content := "apiVersion: v1\nkind: Config\nclusters: [{name: test, cluster: {server: \"" + server + "\"}}]\n" +
		"contexts: [{name: test, context: {cluster: test}}]\ncurrent-context: test\n"
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSilentAPIServerDoesNotDelayTheEnd(t *testing.T) {
	for name, flags := range map[string][]string{
		"alone":                 nil,
		"one of several":        {"--leader-elect"},
		"a shard":               {"--watch-label-selector", "a=b"},
		"one of a shard":        {"--watch-label-selector", "a=b", "--leader-elect"},
		"one that only watches": {"--dry-run"},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan struct{}, 100)
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				select {
				case asked <- struct{}{}:
				default:
				}
				<-r.Context().Done()
			}))
			defer server.Close()
			defer server.CloseClientConnections()
			ctx, stop := context.WithCancel(t.Context())
			const shutdown = 10 * time.Second
			args := append([]string{"run", "--kube", "--kubeconfig", kubeconfig(t, server.URL), "--listen", "", "--shutdown-timeout", shutdown.String()}, flags...)
			said := &tee{}
			ended := make(chan int, 1)
			go func() { ended <- execute(ctx, args, streams{in: strings.NewReader(""), out: said, err: said}) }()
			<-asked
			stop()
			told := time.Now()
			select {
			case code := <-ended:
				if code != exitClean {
					t.Errorf("it ends with %d:\n%s", code, said)
				}
				t.Logf("it ends after %s", time.Since(told))
			case <-time.After(shutdown):
				t.Fatalf("it has not ended after %s:\n%s", shutdown, said)
			}
		})
	}
}

func TestClientHasNoRateLimit(t *testing.T) {
	flags := apiFlags{kubeconfig: kubeconfig(t, "http://127.0.0.1:1")}
	config, err := flags.config("--kube")
	if err != nil || config.QPS >= 0 || config.RateLimiter != nil {
		t.Errorf("QPS %v, error %v", config.QPS, err)
	}
}
