package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
)

func startServer(t *testing.T, d *Daemon) (address string) {
	t.Helper()
	d.Listen = func(ctx context.Context) (net.Listener, error) {
		var config net.ListenConfig
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err == nil {
			address = listener.Addr().String()
		}
		return listener, err
	}
	_, stop, err := d.serve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return address
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

func TestServerSurvivesStalledBodies(t *testing.T) {
	testkit.Slow(t)
	d := newBubble(t).daemon
	d.AdminToken = func() (string, error) { return "0123456789abcdef", nil }
	address := startServer(t, d)
	const stalled = 300
	started := time.Now()
	for range stalled {
		connection := dial(t, address)
		_, _ = fmt.Fprintf(connection, "PUT /log-level HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer 0123456789abcdef\r\nContent-Length: 1000\r\n\r\n{") // the server may close the connection
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*readTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("after %s: %v", time.Since(started), err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK || !strings.Contains(string(body), "alive") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	if d.Level.Level() != zap.InfoLevel {
		t.Errorf("the level is %s", d.Level.Level())
	}
}

func TestServerLimitsConnections(t *testing.T) {
	address := startServer(t, newBubble(t).daemon)
	answered := func(connection net.Conn, wait time.Duration) bool {
		if _, err := fmt.Fprintf(connection, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		if err := connection.SetReadDeadline(time.Now().Add(wait)); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(connection).ReadString('\n')
		return err == nil && strings.HasPrefix(line, "HTTP/1.1 200")
	}
	open := make([]net.Conn, 0, maxConnections)
	for range maxConnections {
		open = append(open, dial(t, address))
		if !answered(open[len(open)-1], readTimeout) {
			t.Fatalf("connection %d is not answered", len(open))
		}
	}
	more := dial(t, address)
	if answered(more, time.Second) {
		t.Errorf("connection %d is answered", maxConnections+1)
	}
	if err := open[0].Close(); err != nil {
		t.Fatal(err)
	}
	if err := more.SetReadDeadline(time.Now().Add(readTimeout)); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(more).ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 200") {
		t.Errorf("once another is closed it gets %q, %v", line, err)
	}
}

func TestServerHasTimeouts(t *testing.T) {
	server := newServer(http.NotFoundHandler())
	for name, timeout := range map[string]time.Duration{
		"read header": server.ReadHeaderTimeout, "read": server.ReadTimeout, "write": server.WriteTimeout, "idle": server.IdleTimeout,
	} {
		if timeout <= 0 || timeout > time.Minute {
			t.Errorf("%s: %s", name, timeout)
		}
	}
}

type broken struct {
	net.Listener
	fails chan struct{}
}

func (b broken) Accept() (net.Conn, error) {
	<-b.fails
	return nil, errors.New("no file descriptor is left")
}

func TestServerThatBreaksDownEndsTheProcess(t *testing.T) {
	lead := func(ctx context.Context, _ func(error), _ func(context.Context) error) error {
		<-ctx.Done() // another replica leads
		return nil
	}
	for name, lead := range map[string]func(context.Context, func(error), func(context.Context) error) error{"waiting for the Lease": lead, "working": nil} {
		t.Run(name, func(t *testing.T) {
			d := newBubble(t).daemon
			d.Lead = lead
			fails := make(chan struct{})
			d.Listen = func(ctx context.Context) (net.Listener, error) {
				listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
				return broken{listener, fails}, err
			}
			ended := make(chan error, 1)
			go func() { ended <- d.Run(t.Context()) }()
			select {
			case err := <-ended:
				t.Fatalf("it ends at once: %v", err)
			case <-time.After(50 * time.Millisecond):
			}
			close(fails)
			select {
			case err := <-ended:
				if err == nil || !strings.Contains(err.Error(), "no file descriptor is left") || !strings.Contains(err.Error(), "serve 127.0.0.1:") {
					t.Errorf("it ends with %v", err)
				}
			case <-time.After(30 * time.Second):
				t.Fatal("it does not end")
			}
		})
	}
}

func TestServerFinishesAnswers(t *testing.T) {
	begun, goOn := make(chan struct{}), make(chan struct{})
	server := newServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(begun)
		<-goOn
		_, _ = io.WriteString(w, "whole") // the test checks the response
	}))
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(listener) }()
	connection := dial(t, listener.Addr().String())
	if _, err := fmt.Fprintf(connection, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-begun
	stopped := make(chan struct{})
	go func() { shutDown(t.Context(), server); close(stopped) }()
	time.Sleep(20 * time.Millisecond)
	close(goOn)
	if answer, _ := io.ReadAll(connection); !strings.HasSuffix(string(answer), "whole") {
		t.Errorf("got %q", answer)
	}
	<-stopped
}
