package admission

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"
)

// self, create and change are the messages with which the server denies dry runs. An empty message
// means that the dry run is allowed.
type server struct {
	t                    *testing.T
	self, create, change string
	// policies is "missing", "forbidden", or empty for the shipped policies.
	policies   string
	placements int
	slow       bool
	asked      []string
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.slow {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a disconnected client only after the body is read
		<-r.Context().Done()
		return
	}
	as := r.Header.Get("Impersonate-User")
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+as))
	if r.Method != http.MethodGet && r.URL.Query().Get("dryRun") != "All" {
		s.t.Errorf("%s %s would write", r.Method, r.URL)
	}
	w.Header().Set("Content-Type", "application/json")
	fail := func(code int, message string) {
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message, "reason": map[int]string{
			http.StatusForbidden: "Forbidden", http.StatusNotFound: "NotFound", http.StatusUnprocessableEntity: "Invalid",
		}[code]})
	}
	answer := func(message string) {
		switch {
		case message == "":
			_, _ = w.Write([]byte("{}"))
		case strings.HasPrefix(message, "unavailable"):
			fail(http.StatusServiceUnavailable, message)
		case strings.HasPrefix(message, "invalid"):
			fail(http.StatusUnprocessableEntity, message)
		default:
			fail(http.StatusForbidden, message)
		}
	}
	p, b := shipped(s.t)
	switch {
	case r.Method == http.MethodPost && as == "":
		answer(s.self)
	case r.Method == http.MethodPost:
		answer(s.create)
	case r.Method == http.MethodPatch:
		answer(s.change)
	case strings.HasSuffix(r.URL.Path, "/workplacements"):
		items := make([]any, s.placements)
		for i := range items {
			items[i] = map[string]any{"metadata": map[string]any{"name": fmt.Sprint("placement-", i)}}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"items": items})
	case s.policies == "forbidden":
		fail(http.StatusForbidden, "validatingadmissionpolicies is forbidden")
	case s.policies == "unsupported":
		fail(http.StatusNotFound, "the server could not find the requested resource")
	case s.policies == "missing":
		_, _ = w.Write([]byte(`{"items":[]}`))
	case strings.HasSuffix(r.URL.Path, "policies"):
		_ = json.NewEncoder(w).Encode(map[string]any{"items": []any{p}})
	default:
		_ = json.NewEncoder(w).Encode(map[string]any{"items": []any{b}})
	}
}

const (
	byPolicy     = "forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"
	byWebhook    = `admission webhook "x" denied the request: no`
	notAllowed   = `workplacements is forbidden: User "system:serviceaccount:kratix-platform-system:kratix-platform-controller-manager" cannot create resource "workplacements"`
	noImpersonat = `serviceaccounts "x" is forbidden: User "system:serviceaccount:kratix-schedule:kratix-schedule" cannot impersonate resource "serviceaccounts"`
)

func TestInForce(t *testing.T) {
	for name, test := range map[string]struct {
		server server
		state  State
		reason string
	}{
		"both are denied":                           {server{create: byPolicy, change: byPolicy, placements: 1}, InForce, ReasonDenied},
		"both are denied by a policy of others":     {server{create: byPolicy, change: byWebhook, placements: 1, policies: "missing"}, InForce, ReasonDenied},
		"no change can be tried":                    {server{create: byPolicy}, InForce, ReasonDenied},
		"no change can be tried, no policy is ours": {server{create: byPolicy, policies: "missing"}, Unknown, ReasonPartlyTried},
		"a change is invalid":                       {server{create: byPolicy, change: "invalid", placements: 1, policies: "missing"}, Unknown, ReasonPartlyTried},
		"changes are allowed":                       {server{create: byPolicy, placements: 1}, NotInForce, ReasonNotEnforced},
		"changes are allowed, no policy is ours":    {server{create: byPolicy, placements: 1, policies: "missing"}, NotInForce, ReasonPolicyMissing},
		"creating is allowed":                       {server{placements: 1}, NotInForce, ReasonNotEnforced},
		"creating is allowed, no policy":            {server{policies: "missing"}, NotInForce, ReasonPolicyMissing},
		"creating is allowed, policies unreadable":  {server{policies: "forbidden"}, NotInForce, ReasonNotEnforced},
		"no role to place":                          {server{create: notAllowed}, Unknown, ReasonCannotPlace},
		"no impersonation":                          {server{create: noImpersonat}, InForce, ReasonAsShipped},
		"no impersonation, no policy":               {server{create: noImpersonat, policies: "missing"}, NotInForce, ReasonPolicyMissing},
		"no impersonation, policies unreadable":     {server{create: noImpersonat, policies: "forbidden"}, Unknown, ReasonForbidden},
		"no impersonation, old API server":          {server{create: noImpersonat, policies: "unsupported"}, NotInForce, ReasonUnsupported},
		"the dry run is invalid":                    {server{create: "invalid"}, InForce, ReasonAsShipped},
		"this process is denied":                    {server{self: byPolicy, create: byPolicy, change: byPolicy, placements: 1}, DeniesSelf, ReasonDeniesSelf},
		"dry runs are not answered":                 {server{self: "unavailable"}, Unknown, ReasonAPIUnavailable},
		"this process has no role":                  {server{self: "cannot create", create: byPolicy}, InForce, ReasonDenied},
	} {
		t.Run(name, func(t *testing.T) {
			got := check(t, &test.server).InForce(t.Context())
			if got.State != test.state || got.Reason != test.reason || got.Message == "" || (got.Fix == "") != (got.State == InForce) {
				t.Errorf("got %+v", got)
			}
			for _, asked := range test.server.asked {
				if strings.HasPrefix(asked, "PATCH") && test.server.create != byPolicy {
					t.Errorf("asked %s, though it is known already", asked)
				}
				if strings.Contains(asked, "workplacements") && !strings.Contains(asked, "/namespaces/kratix-platform-system/") {
					t.Errorf("asked %s", asked)
				}
			}
		})
	}
}

func TestSilentAPIServerIsUnknown(t *testing.T) {
	slow := check(t, &server{slow: true})
	slow.timeout = 50 * time.Millisecond
	away, err := New(&rest.Config{Host: "http://127.0.0.1:1", QPS: -1}, Kratix())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*Check{"slow": slow, "away": away} {
		began := time.Now()
		if got := c.InForce(t.Context()); got.State != Unknown || got.Reason != ReasonAPIUnavailable {
			t.Errorf("%s: got %+v", name, got)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s: it took %s", name, took)
		}
	}
}

func TestNewRejectsInvalidServiceAccount(t *testing.T) {
	if c, err := New(&rest.Config{Host: "http://127.0.0.1:1"}, ServiceAccount{Name: "a"}); err == nil {
		t.Errorf("got %v", c.account)
	}
}

func check(t *testing.T, s *server) *Check {
	t.Helper()
	s.t = t
	host := httptest.NewServer(s)
	t.Cleanup(host.Close)
	c, err := New(&rest.Config{Host: host.URL, QPS: -1}, Kratix())
	if err != nil {
		t.Fatal(err)
	}
	return c
}
