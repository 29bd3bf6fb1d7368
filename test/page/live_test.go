package page

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

var program = flag.String("program", "../../bin/kratix-schedule", "the program under test")

const works = 5000

func write(t *testing.T, file string, objects ...any) {
	t.Helper()
	var text bytes.Buffer
	for _, object := range objects {
		encoded, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString("---\n")
		text.Write(encoded)
	}
	if err := os.WriteFile(file+".new", text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func work(name, configMap string) *kratix.Work {
	w := testkit.Request(name, testkit.WithConfigMaps(configMap))
	w.TypeMeta.APIVersion, w.TypeMeta.Kind = kratix.APIVersion, kratix.WorkKind
	return w
}

func started(t *testing.T, in string) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	absolute, err := filepath.Abs(*program)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), absolute, "run", "-f", in, "--check-apply", "off", "--removal-delay", "1s", "--listen", address)
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatalf("%v: make build", err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(os.Interrupt)
		_ = command.Wait()
		if t.Failed() {
			t.Logf("the log ends with %s", log.Bytes()[max(0, log.Len()-4000):])
		}
	})
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		response, err := http.Get("http://" + address + "/healthz") //nolint:noctx // the program is a child
		if err == nil {
			response.Body.Close()
			return "http://" + address
		}
	}
	t.Fatalf("it does not listen:\n%s", log.String())
	return ""
}

func TestConflictAmongManyWorks(t *testing.T) {
	in := t.TempDir()
	repository := filepath.Join(t.TempDir(), "store.git")
	if text, err := exec.CommandContext(t.Context(), "git", "init", "-q", "--bare", "-b", "main", repository).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	store := testkit.GitStore("default", repository)
	store.TypeMeta.APIVersion, store.TypeMeta.Kind = kratix.APIVersion, kratix.GitStateStoreKind
	worker := testkit.Destination("worker-1")
	worker.TypeMeta.APIVersion, worker.TypeMeta.Kind = kratix.APIVersion, kratix.DestinationKind
	write(t, filepath.Join(in, "platform.yaml"), store, worker)
	var all []any
	for i := range works {
		all = append(all, work(fmt.Sprintf("request-%04d", i), fmt.Sprintf("map-%04d", i)))
	}
	write(t, filepath.Join(in, "works.yaml"), all...)
	url := started(t, in)

	ctx := browser(t)
	run(t, ctx, showOn(light), chromedp.Navigate(url+"/"), chromedp.WaitReady("footer"))
	waitUntil(t, ctx, "all Works", "document.querySelector('#verdict.good') && document.body.innerText.includes('5,000')")
	run(t, ctx, chromedp.Navigate(url+"/placements"), chromedp.WaitReady("footer"))
	waitUntil(t, ctx, "all Works in the list", "document.getElementById('count').textContent.startsWith('5,000 placements')")
	run(t, ctx, chromedp.Navigate(url+"/"), chromedp.WaitReady("footer"), script("window.stays = true"))
	waitUntil(t, ctx, "the connection", "document.getElementById('connection').textContent === 'Updates by itself.'")
	write(t, filepath.Join(in, "late.yaml"), work("zz-late", "map-0042"))
	waitUntil(t, ctx, "the conflict", "document.querySelector('#errors .claimants')?.textContent.includes('default/zz-late') && document.querySelector('#errors .flux') && window.stays")
	run(t, ctx, chromedp.Click("#errors .claimants li:last-child a"))
	waitUntil(t, ctx, "the list of the Work", "document.querySelectorAll('#results tbody tr').length === 1")
	run(t, ctx, chromedp.Click("#results tbody a"))
	waitUntil(t, ctx, "its page", "document.getElementById('explanation')?.textContent.includes('worker-1') && document.getElementById('found').textContent.includes('map-0042')")
	run(t, ctx, chromedp.Navigate(url+"/placement?work=default/request-0042&destination=worker-1"), chromedp.WaitReady("footer"))
	waitUntil(t, ctx, "a file", "document.getElementById('files').textContent.includes('name: map-0042')")
	run(t, ctx, chromedp.Click("#files a"))
	waitUntil(t, ctx, "the history", "document.querySelectorAll('#revisions tbody tr').length === 1")
	run(t, ctx, chromedp.Navigate(url+"/"), chromedp.WaitReady("footer"), script("window.stays = true"))
	waitUntil(t, ctx, "the connection", "document.getElementById('connection').textContent === 'Updates by itself.'")
	if err := os.Remove(filepath.Join(in, "late.yaml")); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, ctx, "the end of the conflict", "document.querySelector('#verdict.good') && !document.querySelector('#errors .claimants') && window.stays")
}
