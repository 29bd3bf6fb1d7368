package kube

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

func hanging(t *testing.T, begins bool) rest.Interface {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if begins {
			w.Header().Set("Content-Type", "application/json")
			w.(http.Flusher).Flush() //nolint:errcheck,forcetypeassert // the test server implements it
		}
		<-r.Context().Done()
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	api, err := connect(&rest.Config{Host: server.URL, QPS: -1})
	if err != nil {
		t.Fatal(err)
	}
	return api.platform
}

func TestRequestsToSilentAPIServerTimeOut(t *testing.T) {
	short := limits{list: 50 * time.Millisecond, headers: 50 * time.Millisecond, beyond: 50 * time.Millisecond}
	seconds := int64(0)
	options := metav1.ListOptions{Watch: true, TimeoutSeconds: &seconds}
	ends := func(t *testing.T, call func() error) {
		t.Helper()
		done := make(chan error, 1)
		go func() { done <- call() }()
		select {
		case err := <-done:
			if err == nil || !strings.Contains(err.Error(), "no answer within 50ms") {
				t.Errorf("the error is %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("it does not end")
		}
	}
	t.Run("a list", func(t *testing.T) {
		client := hanging(t, false)
		ends(t, func() error {
			_, err := short.listed(t.Context(), client.Get().Resource("works"))
			return err
		})
	})
	t.Run("a watch that does not begin", func(t *testing.T) {
		client := hanging(t, false)
		ends(t, func() error {
			_, err := short.watched(t.Context(), client.Get().Resource("works"), options)
			return err
		})
	})
	t.Run("a watch that does not end", func(t *testing.T) {
		client := hanging(t, true)
		long := short
		long.headers = time.Minute
		stream, err := long.watched(t.Context(), client.Get().Resource("works"), options)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Stop()
		for late := time.After(20 * time.Second); ; {
			select {
			case _, open := <-stream.ResultChan():
				if !open {
					return
				}
			case <-late:
				t.Fatal("it does not end")
			}
		}
	})
	t.Run("a request that the caller cancels is no timeout", func(t *testing.T) {
		client := hanging(t, false)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := usualLimits().listed(ctx, client.Get().Resource("works")); err == nil || strings.Contains(err.Error(), "no answer") {
			t.Errorf("the error is %v", err)
		}
	})
}
