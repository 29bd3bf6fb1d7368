package discover

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/discover/discovertest"
)

var taken = time.Date(2026, time.November, 29, 12, 0, 0, 500, time.UTC)

func readFrom(t *testing.T, s http.Handler) (*profile.Profile, error) {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	return Read(t.Context(), &rest.Config{Host: server.URL, QPS: -1}, "worker-1", taken)
}

func TestProfileOfACluster(t *testing.T) {
	for _, legacy := range []bool{false, true} {
		s := discovertest.New()
		s.Legacy = legacy
		p, err := readFrom(t, s)
		if err != nil {
			t.Fatal(err)
		}
		kinds := []string{}
		for _, kind := range p.Kinds {
			kinds = append(kinds, fmt.Sprint(kind.APIVersion, " ", kind.Kind, " ", kind.Namespaced))
		}
		want := []string{"apiextensions.k8s.io/v1 CustomResourceDefinition false", "apps/v1 Deployment true", "example.com/v1 Shop true", "example.com/v1beta1 Shop true", "v1 ConfigMap true", "v1 Namespace false"}
		if diff := cmp.Diff(want, kinds); diff != "" {
			t.Errorf("legacy %v: %s", legacy, diff)
		}
		if p.Name != "worker-1" || p.KubernetesVersion != "v1.36.3" || !slices.Equal(p.Namespaces, []string{"default", "kube-system"}) || len(p.Unread) > 0 || !p.Taken.Time.Equal(taken.Truncate(time.Second)) {
			t.Errorf("legacy %v: got %+v", legacy, p)
		}
		if len(p.Definitions) != 1 || p.Definitions[0].Defines().Kind != "Shop" || !slices.Equal(p.Definitions[0].Defines().Versions, []string{"v1", "v1beta1"}) {
			t.Fatalf("legacy %v: definitions %+v", legacy, p.Definitions)
		}
		text, err := p.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		for _, unwanted := range []string{"A shop", "description", "managedFields", "additionalPrinterColumns", "NamesAccepted"} {
			if strings.Contains(string(text), unwanted) {
				t.Errorf("the profile has %s:\n%s", unwanted, text)
			}
		}
		if !strings.Contains(string(text), "size:") || !strings.Contains(string(text), "x-kubernetes-preserve-unknown-fields: true") {
			t.Errorf("the profile has not the whole schema:\n%s", text)
		}
	}
}

func TestGroupThatIsDownIsUnread(t *testing.T) {
	for name, change := range map[string]func(*discovertest.Server){
		"stale":  func(s *discovertest.Server) { s.Down = []string{"metrics.k8s.io"} },
		"503":    func(s *discovertest.Server) { s.Down, s.Legacy = []string{"metrics.k8s.io"}, true },
		"silent": func(s *discovertest.Server) {}, // discovery omits the group without an error
	} {
		s := discovertest.New()
		s.Services = []string{
			`{"spec":{"group":"metrics.k8s.io"},"status":{"conditions":[{"type":"Available","status":"False","reason":"MissingEndpoints","message":"no endpoints\nfor it"}]}}`,
			`{"spec":{"group":"apps"},"status":{"conditions":[{"type":"Available","status":"True"}]}}`, `{"spec":{"group":"example.com"}}`,
		}
		change(s)
		p, err := readFrom(t, s)
		if err != nil {
			t.Fatal(name, err)
		}
		if len(p.Unread) != 1 || p.Unread[0].Group != "metrics.k8s.io" || p.Unread[0].Reason == "" || strings.Contains(p.Unread[0].Reason, "\n") || len(p.Kinds) != 6 {
			t.Errorf("%s: unread %+v, %d kinds", name, p.Unread, len(p.Kinds))
		}
		if _, served := p.Served(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}); !served || p.Lists("metrics.k8s.io") || !p.Lists("apps") {
			t.Errorf("%s: the kinds are wrong", name)
		}
	}
}

func TestUnreadablePartIsAnError(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*discovertest.Server)
		want   string // the expected error, or empty if there is none
	}{
		"no APIServices": {change: func(s *discovertest.Server) {
			s.Codes = map[string]int{"/apis/apiregistration.k8s.io/v1/apiservices": http.StatusForbidden}
		}},
		"APIServices fail": {func(s *discovertest.Server) {
			s.Codes = map[string]int{"/apis/apiregistration.k8s.io/v1/apiservices": http.StatusInternalServerError}
		}, "read its APIServices: "},
		"forbidden namespaces": {func(s *discovertest.Server) { s.Codes = map[string]int{"/api/v1/namespaces": http.StatusForbidden} }, "read its namespaces: /api/v1/namespaces is refused by the test; the user needs list on namespaces and on customresourcedefinitions"},
		"forbidden definitions": {func(s *discovertest.Server) {
			s.Codes = map[string]int{"/apis/apiextensions.k8s.io/v1/customresourcedefinitions": http.StatusForbidden}
		}, "read its CustomResourceDefinitions: "},
		"expired page": {func(s *discovertest.Server) { s.Codes = map[string]int{"/api/v1/namespaces": http.StatusGone} }, "run the command again"},
		"no version":   {func(s *discovertest.Server) { s.Codes = map[string]int{"/version": http.StatusUnauthorized} }, "read its version: "},
		"odd version":  {func(s *discovertest.Server) { s.Version = "newest" }, "the API server's responses do not form a valid profile: kubernetesVersion: "},
		"no discovery": {func(s *discovertest.Server) {
			s.Codes = map[string]int{"/apis": http.StatusInternalServerError, "/api": http.StatusInternalServerError}
		}, "read the kinds that it serves: "},
		"no core kinds": {func(s *discovertest.Server) {
			s.Legacy, s.Codes = true, map[string]int{"/api/v1": http.StatusServiceUnavailable}
		}, "read the kinds of v1: "},
		"no namespaces":     {func(s *discovertest.Server) { s.Namespaces = nil }, "the API server's responses do not form a valid profile: namespaces are missing"},
		"pages without end": {func(s *discovertest.Server) { s.Endless = true }, "the API server's pages do not end"},
		"definition without a kind": {func(s *discovertest.Server) {
			s.Definitions = []string{`{"metadata":{"name":"odd"},"spec":{"group":"a"}}`}
		}, "read its CustomResourceDefinitions: odd: spec.group or spec.names.kind is missing"},
		"definition that is no object": {func(s *discovertest.Server) { s.Definitions = []string{`[]`} }, "read its CustomResourceDefinitions: "},
	} {
		s := discovertest.New()
		test.change(s)
		p, err := readFrom(t, s)
		if test.want == "" && (err != nil || p == nil) || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: got error %v, want %q", name, err, test.want)
		}
	}
}

func TestAllPagesAreRead(t *testing.T) {
	s := discovertest.New()
	for i := range 2*smallPage + 1 {
		s.Namespaces = append(s.Namespaces, fmt.Sprint("n", i))
	}
	first := s.Definitions[0]
	for i := range 2 * largePage {
		s.Definitions = append(s.Definitions, strings.ReplaceAll(strings.ReplaceAll(first, "Shop", fmt.Sprint("Shop", i)), "shops", fmt.Sprint("shops", i)))
	}
	s.Definitions = append(s.Definitions, strings.ReplaceAll(strings.Replace(first, `"NamesAccepted","status":"True"`, `"NamesAccepted","status":"False"`, 1), "Shop", "Taken"))
	p, err := readFrom(t, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Namespaces) != len(s.Namespaces) || len(p.Definitions) != len(s.Definitions)-1 {
		t.Errorf("%d namespaces of %d, %d definitions of %d, and one of these is not served", len(p.Namespaces), len(s.Namespaces), len(p.Definitions), len(s.Definitions))
	}
}

func TestTooManyNamespacesAreAnError(t *testing.T) {
	s := discovertest.New()
	s.Namespaces = make([]string, maxItems+1)
	for i := range s.Namespaces {
		s.Namespaces[i] = fmt.Sprint("n", i)
	}
	if _, err := readFrom(t, s); err == nil || !strings.Contains(err.Error(), "there are more than the 100000 objects that are read") {
		t.Errorf("got error %v", err)
	}
}

func TestReadEndsWithItsContext(t *testing.T) {
	for _, path := range []string{"/version", "/apis", "/api/v1/namespaces", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"} {
		s := discovertest.New()
		stop := make(chan struct{})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				select {
				case <-stop:
				case <-r.Context().Done():
				}
				return
			}
			s.ServeHTTP(w, r)
		}))
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := Read(ctx, &rest.Config{Host: server.URL, QPS: -1}, "worker-1", taken)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: got error %v", path, err)
		}
		cancel()
		close(stop)
		server.CloseClientConnections()
		server.Close()
	}
}
