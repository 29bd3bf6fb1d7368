package kube_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func TestClusterID(t *testing.T) {
	forbidden := `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"namespaces \"kube-system\" is forbidden","code":403}`
	tests := map[string]struct {
		answers []int
		text    string
		want    string
		err     error
	}{
		"the UID of kube-system":          {[]int{200}, `{"kind":"Namespace","metadata":{"name":"kube-system","uid":"c0ffee"}}`, "c0ffee", nil},
		"an API that answers late":        {[]int{503, 200}, `{"kind":"Namespace","metadata":{"name":"kube-system","uid":"c0ffee"}}`, "c0ffee", nil},
		"an API that forbids it":          {[]int{403}, forbidden, "", kube.ErrNoClusterID},
		"an API that has nothing like it": {[]int{404}, `{}`, "", kube.ErrNoClusterID},
		"nonsense":                        {[]int{200}, `[]`, "", kube.ErrNoClusterID},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			asked := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/api/v1/namespaces/kube-system" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				status := test.answers[min(asked, len(test.answers)-1)]
				asked++
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(status)
				_, _ = w.Write([]byte(test.text))
			}))
			defer server.Close()
			s, err := kube.New(&rest.Config{Host: server.URL, QPS: -1}, kube.Options{})
			if err != nil {
				t.Fatal(err)
			}
			got, err := s.ClusterID(t.Context())
			if got != test.want || !errors.Is(err, test.err) || asked != len(test.answers) {
				t.Errorf("got %q, %v, after %d questions", got, err, asked)
			}
		})
	}
}

func TestClusterIDReportsTheCauseWhenItsTimeEnds(t *testing.T) {
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 1 {
			<-r.Context().Done()
			return
		}
		http.Error(w, "etcd has no leader", http.StatusServiceUnavailable)
	}))
	defer server.Close()
	s, err := kube.New(&rest.Config{Host: server.URL, QPS: -1}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
	defer cancel()
	_, err = s.ClusterID(ctx)
	if err == nil || errors.Is(err, context.DeadlineExceeded) || asked.Load() != 2 {
		t.Errorf("%v, after %d questions", err, asked.Load())
	}
}
