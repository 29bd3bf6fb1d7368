package page

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func openEvents(t *testing.T, server *httptest.Server) (status int, lines func() string, leave func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); _ = response.Body.Close() })
	reader := bufio.NewReader(response.Body)
	return response.StatusCode, func() string {
		line, err := reader.ReadString('\n')
		if err != nil {
			return err.Error()
		}
		return strings.TrimSpace(line)
	}, func() { cancel(); _ = response.Body.Close() }
}

func waitForLine(t *testing.T, lines func() string, wanted string) {
	t.Helper()
	for range 20 {
		if lines() == wanted {
			return
		}
	}
	t.Fatalf("there is no line %q", wanted)
}

func TestOpenPagesGetAnEventForEachRound(t *testing.T) {
	s := siteOf(sample())
	server := httptest.NewServer(handler(s))
	defer server.Close()
	status, lines, _ := openEvents(t, server)
	if status != http.StatusOK {
		t.Fatal(status)
	}
	waitForLine(t, lines, "data: 1")
	s.Publish(sample())
	waitForLine(t, lines, "data: 2")
	s.Close()
	s.Close()
	waitForLine(t, lines, "EOF")
	if status, _, _ := openEvents(t, server); status != http.StatusServiceUnavailable {
		t.Errorf("after the end: %d", status)
	}
}

func TestOpenPagesAreLimited(t *testing.T) {
	s := siteOf(sample())
	server := httptest.NewServer(handler(s))
	defer server.Close()
	defer s.Close()
	var leave []func()
	for i := range maxClients {
		status, lines, end := openEvents(t, server)
		if status != http.StatusOK {
			t.Fatalf("connection %d: %d", i+1, status)
		}
		waitForLine(t, lines, "data: 1")
		leave = append(leave, end)
	}
	if status, _, _ := openEvents(t, server); status != http.StatusServiceUnavailable {
		t.Errorf("connection %d: %d", maxClients+1, status)
	}
	leave[0]()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if status, _, _ := openEvents(t, server); status == http.StatusOK {
			break
		} else if time.Now().After(end) {
			t.Fatal("a place that a page left stays taken")
		}
	}
}

func TestRoundsDoNotWaitForSlowPages(t *testing.T) {
	var c clients
	joined, _, err := c.join()
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(1000) {
		c.notify(i)
	}
	if last := <-joined.news; last != 999 {
		t.Errorf("the client gets an event about round %d", last)
	}
}

type stalled struct {
	httptest.ResponseRecorder
	deadline time.Time
}

func (s *stalled) SetWriteDeadline(deadline time.Time) error { s.deadline = deadline; return nil }
func (s *stalled) FlushError() error                         { return nil }
func (s *stalled) Write([]byte) (int, error) {
	time.Sleep(time.Until(s.deadline))
	return 0, net.ErrClosed
}

func TestSlowPagesAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := siteOf(sample())
		began := time.Now()
		s.events(&stalled{}, httptest.NewRequest(http.MethodGet, "/events", nil))
		if took := time.Since(began); took != writeTimeout {
			t.Errorf("it is dropped after %s", took)
		}
		if len(s.clients.open) != 0 {
			t.Error("it stays")
		}
	})
}

func TestIdlePagesGetCommentsAndConnectAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := siteOf(sample())
		recorder := httptest.NewRecorder()
		began := time.Now()
		s.events(recorder, httptest.NewRequest(http.MethodGet, "/events", nil))
		if took := time.Since(began); took != longestConnection {
			t.Errorf("it ends after %s", took)
		}
		if comments := strings.Count(recorder.Body.String(), ": still here\n\n"); comments < int(longestConnection/keepAlive)-1 {
			t.Errorf("%d comments", comments)
		}
	})
}
