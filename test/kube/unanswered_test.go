package kube

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// lossyProxy is a proxy in front of an API server. It drops the response to the first creation of a
// WorkPlacement.
type lossyProxy struct {
	url      string
	restored chan struct{}
	mu       sync.Mutex
	lost     int
	tried    []string
}

func newLossyProxy(t *testing.T, c *cluster) *lossyProxy {
	t.Helper()
	server, err := url.Parse(c.url)
	must(t, err)
	l := &lossyProxy{restored: make(chan struct{})}
	proxy := httputil.NewSingleHostReverseProxy(server)
	proxy.Transport = &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // the test's own server
	proxy.FlushInterval = -1
	proxy.ModifyResponse = l.pass
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	certificate, err := tls.LoadX509KeyPair(c.File("tls.crt"), c.File("tls.key"))
	must(t, err)
	front := httptest.NewUnstartedServer(proxy)
	front.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	front.StartTLS() // kubectl sends tokens only over TLS
	t.Cleanup(func() {
		front.CloseClientConnections()
		front.Close()
	})
	l.url = front.URL
	return l
}

func (l *lossyProxy) pass(answer *http.Response) error {
	request := answer.Request
	if !strings.HasSuffix(request.URL.Path, "/workplacements") {
		return nil
	}
	if request.URL.Query().Get("watch") != "" {
		answer.Body = &heldBody{answer.Body, l.restored, request}
		return nil
	}
	if request.Method != http.MethodPost {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried = append(l.tried, answer.Status)
	if answer.StatusCode == http.StatusCreated && l.lost == 0 {
		l.lost++
		return errors.New("lost by the test")
	}
	return nil
}

type heldBody struct {
	io.ReadCloser
	restored chan struct{}
	request  *http.Request
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if strings.Contains(string(p[:n]), "b.worker") {
		select {
		case <-b.restored:
		case <-b.request.Context().Done():
		}
	}
	return n, err
}

func TestCreateWithoutAnAnswerPlacesNothingTwice(t *testing.T) {
	t.Parallel()
	p := platformOn(t, clusterOfKratix(t))
	lossy := newLossyProxy(t, p.cluster)
	on, off := map[string]string{"on": "yes"}, map[string]string{"on": "no"}
	p.destination("worker-1", "default", "none", on)
	p.destination("worker-2", "default", "none", off)
	at := address(t)
	token := p.kubectl("create", "token", "kratix-schedule", "--namespace", namespace)
	run(t, program, "run", "--kube", "--schedule-only", "--without-stores", "--interval", "1h", "--listen", at, "--kubeconfig", p.kubeconfig("lossy", token, lossy.url))
	p.object(work("b", on, "one"))
	p.eventually("the WorkPlacement", func() string {
		if got := p.placementsOf("b"); !slices.Equal(got, []string{"b.worker-1-5058f"}) {
			return fmt.Sprint(got)
		}
		return ""
	})
	rounds := p.counted(at, "kratix_schedule_rounds_total")
	p.destination("worker-2", "default", "none", on)
	p.destination("worker-1", "default", "none", off)
	p.eventually("rounds", func() string {
		if got := p.counted(at, "kratix_schedule_rounds_total"); got < rounds+2 {
			return fmt.Sprint(got)
		}
		return ""
	})
	time.Sleep(5 * time.Second) // by now, a second WorkPlacement would exist
	only := func(when string) {
		t.Helper()
		if got := p.placementsOf("b"); !slices.Equal(got, []string{"b.worker-1-5058f"}) {
			t.Errorf("%s there are %v, want the first alone", when, got)
		}
	}
	only("while the watch shows nothing")
	lossy.mu.Lock()
	if lossy.lost != 1 {
		t.Errorf("the test shows nothing: creates were answered with %v", lossy.tried)
	}
	lossy.mu.Unlock()
	close(lossy.restored)
	p.waitForCondition("work/b", "Scheduled", "False DestinationSelectorMismatch")
	only("once it has shown it")
}
