package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

type tee struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tee) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.Write(p)
}

func (t *tee) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

func TestRunFollowsItsInputUntilItIsStopped(t *testing.T) {
	tutorial, err := filepath.Abs("../../testdata/elastic-cloud")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	in := "in"
	copyTo := func(names ...string) {
		t.Helper()
		for _, name := range names {
			content, err := os.ReadFile(filepath.Join(tutorial, name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(in, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.Mkdir(in, 0o750); err != nil {
		t.Fatal(err)
	}
	copyTo("destination.yaml", "state-store.yaml", "work-example.yaml")

	var out, trouble tee
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, []string{"run", "-f", in, "--listen", "127.0.0.1:0"}, streams{out: &out, err: &trouble})
	}()

	waitForOutput(t, &trouble, `"msg":"placed","work":"default/elastic-cloud-example`)
	copyTo("work-second-request.yaml", "work-cache.yaml")
	waitForOutput(t, &trouble, `"msg":"held back","work":"default/elastic-cloud-second-request`)
	waitForOutput(t, &trouble, `"msg":"placed","work":"default/redis`)
	address := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(trouble.String())[1]
	for page, want := range map[string]string{
		"/healthz": "alive", "/readyz": "ready", "/api/v1/report": `"state":"held back"`,
		"/metrics": `kratix_schedule_placements{state="held back"} 1`,
	} {
		if got := get(t, "http://"+address+page); !strings.Contains(got, want) {
			t.Errorf("%s says %q", page, got)
		}
	}
	if err := os.Remove(filepath.Join(in, "work-example.yaml")); err != nil {
		t.Fatal(err)
	}
	waitForOutput(t, &trouble, `"msg":"placed","work":"default/elastic-cloud-second-request`)

	stop()
	if code := <-ended; code != exitClean {
		t.Errorf("exit status %d: %s", code, trouble.String())
	}
	log, err := exec.CommandContext(t.Context(), "git", "--git-dir", "demo/state-store.git", "rev-list", "--count", "main").Output()
	if err != nil || strings.TrimSpace(string(log)) != "3" {
		t.Errorf("%s commits, %v", log, err)
	}
	if told := strings.Count(trouble.String(), `"msg":"held back"`); told != 1 {
		t.Errorf("told %d times that something is held back:\n%s", told, trouble.String())
	}
	if out.String() != "" {
		t.Errorf("standard output has %q", out.String())
	}
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func runUntilFirstRound(t *testing.T, args ...string) string {
	t.Helper()
	const in = "../../testdata/elastic-cloud/work-example.yaml"
	var out, trouble tee
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, append([]string{"run", "-f", in}, args...), streams{out: &out, err: &trouble})
	}()
	waitForOutput(t, &trouble, `"msg":"not placed"`)
	stop()
	if code := <-ended; code != exitClean {
		t.Errorf("exit status %d", code)
	}
	return trouble.String()
}

func TestRunListensOnLoopbackByDefault(t *testing.T) {
	if text := runUntilFirstRound(t, "--listen="); strings.Contains(text, "listening") {
		t.Errorf("it listens:\n%s", text)
	}
	var config net.ListenConfig
	taken, err := config.Listen(t.Context(), "tcp", "127.0.0.1:8080")
	if err == nil {
		defer func() { _ = taken.Close() }()
	} // if listening fails, another process has taken the port
	if text := runUntilFirstRound(t); !strings.Contains(text, `"msg":"not listening"`) || !strings.Contains(text, "127.0.0.1:8080") {
		t.Errorf("it says nothing of the address that is taken:\n%s", text)
	}
	var out, trouble tee
	code := execute(t.Context(), []string{"run", "-f", t.TempDir(), "--listen", "127.0.0.1:8080"}, streams{out: &out, err: &trouble})
	if code != exitUsage || !strings.Contains(trouble.String(), "--listen: ") {
		t.Errorf("an address that was chosen and is taken: exit status %d: %s", code, trouble.String())
	}
}

func TestRunSendsItsTracesBeforeItEnds(t *testing.T) {
	requests := make(chan string, 10)
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) { requests <- request.URL.Path }))
	defer collector.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.URL)
	runUntilFirstRound(t, "--listen=")
	select {
	case path := <-requests:
		if path != "/v1/traces" {
			t.Errorf("asked for %s", path)
		}
	default:
		t.Error("nothing was sent")
	}

	t.Setenv("OTEL_TRACES_EXPORTER", "zipkin")
	var out, trouble tee
	if code := execute(t.Context(), []string{"run", "-f", t.TempDir()}, streams{out: &out, err: &trouble}); code != exitUsage || !strings.Contains(trouble.String(), "zipkin") {
		t.Errorf("exit status %d: %s", code, trouble.String())
	}
}

func TestRunRefusesFlagsThatItCannotFollow(t *testing.T) {
	t.Chdir(t.TempDir())
	for flag, want := range map[string]string{
		"--log-level=loud":    `--log-level "loud" is not known: use debug, info, warn or error`,
		"--log-format=xml":    `--log-format "xml" is not known: use json or console`,
		"--listen=nonsense:x": "--listen: ",
	} {
		var out, trouble tee
		code := execute(t.Context(), []string{"run", "-f", ".", flag}, streams{out: &out, err: &trouble})
		if code != exitUsage || !strings.Contains(trouble.String(), want) {
			t.Errorf("%s: exit status %d: %s", flag, code, trouble.String())
		}
	}
}

func waitForOutput(t *testing.T, out *tee, text string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if strings.Contains(out.String(), text) {
			return
		}
	}
	t.Fatalf("never wrote %q:\n%s", text, out.String())
}

func TestRunEndsAtOnceWhenItsInputIsNotThere(t *testing.T) {
	var out, trouble tee
	code := execute(t.Context(), []string{"run", "-f", filepath.Join(t.TempDir(), "nowhere")}, streams{out: &out, err: &trouble})
	if code != exitUsage || !strings.Contains(trouble.String(), "cannot read the path") {
		t.Errorf("exit status %d: %s", code, trouble.String())
	}
}

func TestDryRunReportsChangesOnceAndWritesNothing(t *testing.T) {
	tutorial, err := filepath.Abs("../../testdata/elastic-cloud")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	var out, log tee
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		ended <- execute(ctx, []string{"run", "-f", tutorial, "--dry-run", "--interval", "20ms", "--listen", "127.0.0.1:0"}, streams{out: &out, err: &log})
	}()
	const told = `"msg":"would be written","work":"default/elastic-cloud-example`
	waitForOutput(t, &log, told)
	address := regexp.MustCompile(`"address":"([^"]+)"`).FindStringSubmatch(log.String())[1]
	rounds := regexp.MustCompile(`kratix_schedule_rounds_total\{result="[a-z]+"\} [1-9]\d`)
	for deadline := time.Now().Add(20 * time.Second); !rounds.MatchString(get(t, "http://"+address+"/metrics")); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("there is no second round")
		}
	}
	stop()
	<-ended
	if n := strings.Count(log.String(), told); n != 1 {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
	if files, err := filepath.Glob("*"); err != nil || len(files) > 0 {
		t.Errorf("it wrote %v, %v", files, err)
	}
}
