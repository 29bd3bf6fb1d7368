package kube

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

var (
	burst  = flag.Int("burst", 5000, "how many Works are created at once")
	many   = flag.Int("many", 20000, "with how many Works memory is measured")
	before = flag.String("before", "", "another build of the program, whose start with these Works is measured too")
)

const atOnce = 16

type client struct {
	t    testing.TB
	url  string
	http *http.Client
}

func (c *cluster) client() *client {
	c.t.Helper()
	pem, err := os.ReadFile(c.File("tls.crt"))
	must(c.t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true}
	c.t.Cleanup(transport.CloseIdleConnections)
	return &client{t: c.t, url: c.url, http: &http.Client{Transport: transport}}
}

func (c *client) do(method, path, contentType string, body any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	answer, err := c.ask(method, path, contentType, bytes.NewReader(text))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode >= http.StatusMultipleChoices {
		err = fmt.Errorf("%s %s: %s", method, path, said)
	}
	return err
}

func (c *client) ask(method, path, contentType string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequest(method, c.url+path, body) //nolint:noctx // the request ends with the test
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+adminToken)
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Accept", "application/json")
	if method != http.MethodGet { // the response to a write need not contain the object
		request.Header.Set("Accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1")
	}
	return c.http.Do(request)
}

func collection(namespace, resource string) string {
	return "/apis/" + kratix.APIVersion + "/namespaces/" + namespace + "/" + resource
}

func each(t testing.TB, n int, do func(i int) error) {
	t.Helper()
	next := make(chan int)
	failed := make(chan error, atOnce)
	var running sync.WaitGroup
	for range atOnce {
		running.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	for i := range n {
		select {
		case next <- i:
		case err := <-failed:
			t.Fatal(err)
		}
	}
	close(next)
	running.Wait()
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
}

const destinations = 20

func made(i int) *kratix.Work {
	name := fmt.Sprintf("w%05d", i)
	w := work(name, map[string]string{"on": fmt.Sprint("d", i%destinations)})
	w.Namespace = crowded
	for file := range 3 {
		content := fmt.Sprintf("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: %s-%d\n  namespace: default\ndata:\n", name, file)
		for line := 0; len(content) < 1024; line++ {
			content += fmt.Sprintf("  key-%d: \"%x\" # a value as long as others are\n", line, sha256.Sum224([]byte(fmt.Sprint(name, file, line))))
		}
		w.Spec.WorkloadGroups[0].Workloads = append(w.Spec.WorkloadGroups[0].Workloads,
			kratix.Workload{Filepath: fmt.Sprintf("%d.yaml", file), Content: kratix.Encode([]byte(content))})
	}
	return w
}

const crowded = "crowded"

func crowd(n int) []*kratix.Work {
	works := make([]*kratix.Work, n)
	for i := range works {
		works[i] = made(i)
	}
	return works
}

func (c *client) create(w *kratix.Work) error {
	return c.do(http.MethodPost, collection(w.Namespace, "works"), "application/json", w)
}

// bare measures the creation of Works and their WorkPlacements, and the writes of their statuses,
// in a cluster without controllers.
func bare(b *testing.B, flags []string) (created, told, busy time.Duration) {
	b.Helper()
	p := benched(b, flags...)
	c := p.client()
	works := crowd(*burst)
	placements := make([]*kratix.WorkPlacement, len(works))
	for i, w := range works {
		placements[i] = testkit.Placement(w, w.Spec.WorkloadGroups[0].DestinationSelectors[0].MatchLabels["on"])
		placements[i].Finalizers = []string{kratix.PlacementFinalizer}
	}
	before := p.apiserver.cpu(b) + p.database.cpu(b)
	began := time.Now()
	each(b, len(works), func(i int) error { return c.create(works[i]) })
	each(b, len(works), func(i int) error {
		return c.do(http.MethodPost, collection(crowded, "workplacements"), "application/json", placements[i])
	})
	created = time.Since(began)
	conditions := []metav1.Condition{}
	for _, kind := range []string{"ScheduleSucceeded", "WriteSucceeded", "Ready", "ConflictFree"} {
		conditions = append(conditions, metav1.Condition{
			Type: kind, Status: metav1.ConditionTrue, Reason: "WorkloadsWrittenToStateStore", Message: "a message as long", LastTransitionTime: metav1.Now(),
		})
	}
	status := map[string]any{"status": map[string]any{"conditions": conditions}}
	tell := func(resource, name string) error {
		return c.do(http.MethodPatch, collection(crowded, resource)+"/"+name+"/status", "application/merge-patch+json", status)
	}
	each(b, len(works), func(i int) error { return tell("workplacements", placements[i].Name) })
	each(b, len(works), func(i int) error { return tell("works", works[i].Name) })
	told, busy = time.Since(began), p.apiserver.cpu(b)+p.database.cpu(b)-before
	p.apiserver.kill()
	p.database.kill()
	return created, told, busy
}

func (c *client) ready(n int) <-chan time.Time {
	c.t.Helper()
	done := make(chan time.Time, 1)
	go func() {
		seen := map[string]bool{}
		for len(seen) < n && c.t.Context().Err() == nil {
			c.watch(seen, n) // the API server ends slow watches
		}
		done <- time.Now()
	}()
	return done
}

func (c *client) watch(seen map[string]bool, n int) {
	answer, err := c.ask(http.MethodGet, collection(crowded, "works")+"?watch=true&resourceVersion=0", "", nil)
	if err != nil {
		return
	}
	defer answer.Body.Close()
	for lines := bufio.NewReaderSize(answer.Body, 1<<20); len(seen) < n; {
		line, err := lines.ReadBytes('\n')
		var event struct {
			Object struct {
				Metadata struct{ Name string }
				Status   struct{ Conditions []metav1.Condition }
			}
		}
		if err != nil || json.Unmarshal(line, &event) != nil {
			return
		}
		for _, condition := range event.Object.Status.Conditions {
			if condition.Type == kratix.ReadyCondition && condition.Status == metav1.ConditionTrue {
				seen[event.Object.Metadata.Name] = true
			}
		}
	}
}

func benched(b *testing.B, flags ...string) *platform {
	b.Helper()
	p := newPlatform(b, "base", flags...)
	for i := range destinations {
		p.destination(fmt.Sprint("d", i), "default", "none", map[string]string{"on": fmt.Sprint("d", i)})
	}
	p.kubectl("create", "namespace", crowded)
	return p
}

const longest = 20 * time.Minute

func BenchmarkWorksAtOnce(b *testing.B) {
	for b.Loop() {
		log, flags := newAudit(b)
		created, told, bare := bare(b, flags)
		p := benched(b, flags...)
		c := p.client()
		servers := func() time.Duration { return p.apiserver.cpu(b) + p.database.cpu(b) }

		works := crowd(*burst)
		at := address(b)
		daemon := p.schedule("--listen", at, "--pprof", "--log-level", "warn")
		p.waitForCondition("destination/d0", "Ready", "True TestDocumentsWritten")
		rounds := p.counted(at, "kratix_schedule_rounds_total")
		log.written()
		done := c.ready(*burst)
		before := servers()
		own := daemon.cpu(b)
		began := time.Now()
		each(b, *burst, func(i int) error { return c.create(works[i]) })
		taken := time.Since(began)
		var all time.Duration
		select {
		case last := <-done:
			all = last.Sub(began)
		case <-time.After(longest):
			b.Fatal("not all Works are Ready")
		}
		busy, own := servers()-before, daemon.cpu(b)-own
		writes := log.written()
		b.Logf("%d bare Works and WorkPlacements in %v, with their statuses %v, CPU of the servers %v", *burst, created, told, bare)
		b.Logf("created in %v, all Ready in %v, %v rounds, CPU of the servers %v, of kratix-schedule %v, %s; %v",
			taken, all, p.counted(at, "kratix_schedule_rounds_total")-rounds, busy, own, daemon.memory(b), writes)
		b.ReportMetric(created.Seconds(), "bare-s")
		b.ReportMetric(told.Seconds(), "bare-told-s")
		b.ReportMetric(all.Seconds(), "ready-s")
		b.ReportMetric(all.Seconds()/created.Seconds(), "ready/bare")
		b.ReportMetric(all.Seconds()/told.Seconds(), "ready/bare-told")
		b.ReportMetric((busy+own).Seconds()/bare.Seconds(), "cpu/bare-told")
		b.ReportMetric(float64(sum(writes))/float64(*burst), "writes/placement")
		if got := sum(writes); got > 3**burst+destinations+1 {
			b.Errorf("%d writes for %d placements", got, *burst)
		}
		p.checkFilesOf(*burst)
	}
}

func (p *platform) checkFilesOf(works int) {
	p.t.Helper()
	if got := len(p.files()); got != 3*works {
		p.t.Errorf("%d files are in the store, want %d", got, 3*works)
	}
	gittest.Fsck(p.t, p.repository)
}

func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		p := benched(b)
		c := p.client()
		at := address(b)
		daemon := p.schedule("--listen", at, "--pprof", "--log-level", "warn")
		p.waitForCondition("destination/d0", "Ready", "True TestDocumentsWritten")
		done := c.ready(*many)
		each(b, *many, func(i int) error { return c.create(made(i)) })
		select {
		case <-done:
		case <-time.After(longest):
			b.Fatal("not all Works are Ready")
		}
		b.Logf("%d Works placed: %s", *many, daemon.memory(b))
		b.ReportMetric(daemon.kibibytes(b, "VmHWM")/1024, "placing-peak-MiB")
		for range 2 { // entries of a cache are dropped after rounds that do not use them
			done := p.counted(at, clean)
			must(b, daemon.Cmd.Process.Signal(syscall.SIGHUP))
			p.rounds(at, done+1)
		}
		time.Sleep(quiet)
		b.Logf("two rounds later: %s", daemon.memory(b))
		b.ReportMetric(daemon.kibibytes(b, "VmRSS")/1024, "placed-MiB")
		keep(b, at, "placed")
		daemon.stop(b)

		if *before != "" {
			daemon = run(b, *before, p.arguments("--listen", at, "--log-level", "warn")...)
			b.ReportMetric(p.startOf(at).Seconds(), "before-start-s")
			daemon.stop(b)
		}
		daemon = p.schedule("--listen", at, "--pprof", "--log-level", "warn")
		b.ReportMetric(p.startOf(at).Seconds(), "start-s")
		time.Sleep(quiet)
		b.Logf("restarted: %s", daemon.memory(b))
		b.ReportMetric(daemon.kibibytes(b, "VmRSS")/1024, "started-MiB")
		b.ReportMetric(daemon.kibibytes(b, "VmHWM")/1024, "started-peak-MiB")
		keep(b, at, "started")
	}
}

const clean = `kratix_schedule_rounds_total{result="clean"}`

// startOf waits for the first clean round of a process that was just started, and returns how long
// it took.
func (p *platform) startOf(at string) time.Duration {
	started := time.Now()
	p.rounds(at, 1)
	return time.Since(started)
}

func (p *platform) rounds(at string, n float64) {
	p.t.Helper()
	for late := time.Now().Add(longest); time.Now().Before(late); time.Sleep(100 * time.Millisecond) {
		if _, err := page(at, "/metrics"); err == nil && p.counted(at, clean) >= n {
			return
		}
	}
	p.t.Fatal("rounds are not done")
}

// quiet is the time after which an idle process has returned unused memory to the system.
const quiet = 20 * time.Second

func keep(b *testing.B, at, name string) {
	b.Helper()
	dir := os.Getenv("KEEP")
	if dir == "" {
		return
	}
	profile, err := page(at, "/debug/pprof/heap?gc=1")
	must(b, err)
	must(b, os.WriteFile(dir+"/"+name+".heap", []byte(profile), 0o600))
}

func (p *process) kibibytes(t testing.TB, line string) float64 {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid))
	must(t, err)
	for each := range strings.Lines(string(content)) {
		var amount float64
		if _, err := fmt.Sscanf(each, line+": %f kB", &amount); err == nil {
			return amount
		}
	}
	t.Fatalf("no %s in %s", line, content)
	return 0
}

func (p *process) memory(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("RSS %.0f MiB, peak %.0f MiB", p.kibibytes(t, "VmRSS")/1024, p.kibibytes(t, "VmHWM")/1024)
}

func (p *process) cpu(t testing.TB) time.Duration {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Cmd.Process.Pid))
	must(t, err)
	_, after, _ := strings.Cut(string(content), ") ")
	var user, system int64
	fields := strings.Fields(after)
	_, err = fmt.Sscan(fields[11]+" "+fields[12], &user, &system)
	must(t, err)
	const hertz = 100
	return time.Duration(user+system) * time.Second / hertz
}
