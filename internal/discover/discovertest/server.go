// Package discovertest provides a fake API server for tests.
package discovertest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Server is a fake API server. It implements http.Handler.
type Server struct {
	// Version is the version that /version returns.
	Version string
	// Kinds are the kinds by group and version, such as "apps/v1".
	Kinds map[string][]Kind
	// Down are the groups whose aggregated API is down.
	Down []string
	// Legacy means that the server has no aggregated discovery, like Kubernetes before 1.27.
	Legacy bool
	// Namespaces are the names of the namespaces.
	Namespaces []string
	// Definitions are CustomResourceDefinitions, and Services are APIServices, both as JSON.
	Definitions, Services []string
	// Codes maps the path of a request to the HTTP status code with which the request fails.
	Codes map[string]int
	// Endless means that a list has no last page.
	Endless bool
	// Asked, if not nil, is called with the path of each request.
	Asked func(path string)
}

// Kind is a kind with the name of its resource.
type Kind struct {
	Kind, Resource string
	Namespaced     bool
}

// New returns a server with some built-in kinds and with the kind Shop of example.com.
func New() *Server {
	return &Server{
		Version: "v1.36.3", Namespaces: []string{"default", "kube-system"},
		Kinds: map[string][]Kind{
			"v1":                      {{"ConfigMap", "configmaps", true}, {"Namespace", "namespaces", false}},
			"apps/v1":                 {{"Deployment", "deployments", true}},
			"apiextensions.k8s.io/v1": {{"CustomResourceDefinition", "customresourcedefinitions", false}},
			"example.com/v1":          {{"Shop", "shops", true}},
			"example.com/v1beta1":     {{"Shop", "shops", true}},
		},
		Definitions: []string{`{"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition","metadata":{"name":"shops.example.com","managedFields":[{"manager":"kubectl"}]},
"spec":{"group":"example.com","names":{"kind":"Shop","plural":"shops"},"scope":"Namespaced","versions":[
{"name":"v1","served":true,"storage":true,"additionalPrinterColumns":[{"name":"a","type":"string","jsonPath":".a"}],"schema":{"openAPIV3Schema":{"type":"object","description":"A shop.","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer","description":"The size."}}}}}}},
{"name":"v1beta1","served":true,"schema":{"openAPIV3Schema":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}]},
"status":{"conditions":[{"type":"NamesAccepted","status":"True"},{"type":"Established","status":"True"}]}}`},
	}
}

// ServeHTTP responds to a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.Asked != nil {
		s.Asked(r.URL.Path)
	}
	aggregated := strings.Contains(r.Header.Get("Accept"), "as=APIGroupDiscoveryList") && !s.Legacy
	switch path := r.URL.Path; {
	case s.Codes[path] != 0:
		refuse(w, s.Codes[path], path)
	case path == "/version":
		reply(w, "", map[string]any{"major": "1", "minor": "36", "gitVersion": s.Version})
	case aggregated && (path == "/api" || path == "/apis"):
		s.aggregated(w, path == "/api")
	case path == "/api":
		reply(w, "", map[string]any{"kind": "APIVersions", "versions": []string{"v1"}})
	case path == "/apis":
		s.groups(w)
	case path == "/api/v1/namespaces":
		var items []string
		for _, name := range s.Namespaces {
			items = append(items, `{"metadata":{"name":`+strconv.Quote(name)+`}}`)
		}
		s.list(w, r, items)
	case path == "/apis/apiextensions.k8s.io/v1/customresourcedefinitions":
		s.list(w, r, s.Definitions)
	case path == "/apis/apiregistration.k8s.io/v1/apiservices":
		s.list(w, r, s.Services)
	default:
		s.resources(w, strings.TrimPrefix(strings.TrimPrefix(path, "/apis/"), "/api/"))
	}
}

func (s *Server) list(w http.ResponseWriter, r *http.Request, items []string) {
	from, _ := strconv.Atoi(r.URL.Query().Get("continue"))
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	to, next := len(items), ""
	if limit > 0 && from+limit < to || s.Endless {
		to = min(to, from+limit)
		next = strconv.Itoa(to)
	}
	page := []json.RawMessage{}
	for _, item := range items[min(from, to):to] {
		page = append(page, json.RawMessage(item))
	}
	reply(w, "", map[string]any{"kind": "List", "apiVersion": "v1", "metadata": map[string]any{"continue": next}, "items": page})
}

func (s *Server) groupNames() []string {
	names := slices.Clone(s.Down)
	for version := range s.Kinds {
		if group, _, has := strings.Cut(version, "/"); has {
			names = append(names, group)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (s *Server) versions(group string) []string {
	if slices.Contains(s.Down, group) {
		return []string{group + "/v1"}
	}
	var versions []string
	for version := range s.Kinds {
		if of, _, has := strings.Cut(version, "/"); of == group && has || !has && group == "" {
			versions = append(versions, version)
		}
	}
	slices.Sort(versions)
	return versions
}

func (s *Server) aggregated(w http.ResponseWriter, core bool) {
	names := s.groupNames()
	if core {
		names = []string{""}
	}
	items := []any{}
	for _, name := range names {
		versions := []any{}
		for _, gv := range s.versions(name) {
			resources := []any{}
			for _, kind := range s.Kinds[gv] {
				scope := "Cluster"
				if kind.Namespaced {
					scope = "Namespaced"
				}
				resources = append(resources, map[string]any{
					"resource": kind.Resource, "scope": scope, "responseKind": map[string]any{"group": "", "version": "", "kind": kind.Kind}, "verbs": []string{"list"},
					"subresources": []any{map[string]any{"subresource": "scale", "responseKind": map[string]any{"group": "autoscaling", "version": "v1", "kind": "Scale"}, "verbs": []string{"get"}}},
				})
			}
			freshness := "Current"
			if slices.Contains(s.Down, name) {
				freshness = "Stale"
			}
			versions = append(versions, map[string]any{"version": gv[strings.Index(gv, "/")+1:], "freshness": freshness, "resources": resources})
		}
		items = append(items, map[string]any{"metadata": map[string]any{"name": name}, "versions": versions})
	}
	reply(w, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", map[string]any{
		"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "items": items,
	})
}

func (s *Server) groups(w http.ResponseWriter) {
	groups := []any{}
	for _, name := range s.groupNames() {
		versions := []any{}
		for _, gv := range s.versions(name) {
			versions = append(versions, map[string]any{"groupVersion": gv, "version": gv[strings.Index(gv, "/")+1:]})
		}
		groups = append(groups, map[string]any{"name": name, "versions": versions, "preferredVersion": versions[0]})
	}
	reply(w, "", map[string]any{"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

func (s *Server) resources(w http.ResponseWriter, gv string) {
	group, _, _ := strings.Cut(gv, "/")
	kinds, there := s.Kinds[gv]
	switch {
	case slices.Contains(s.Down, group):
		refuse(w, http.StatusServiceUnavailable, gv)
		return
	case !there:
		refuse(w, http.StatusNotFound, gv)
		return
	}
	resources := []any{}
	for _, kind := range kinds {
		resources = append(resources,
			map[string]any{"name": kind.Resource, "kind": kind.Kind, "namespaced": kind.Namespaced, "verbs": []string{"list"}},
			map[string]any{"name": kind.Resource + "/scale", "group": "autoscaling", "version": "v1", "kind": "Scale", "namespaced": true, "verbs": []string{"get"}})
	}
	reply(w, "", map[string]any{"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": resources})
}

func reply(w http.ResponseWriter, contentType string, body any) {
	if contentType == "" {
		contentType = "application/json"
	}
	w.Header().Set("Content-Type", contentType)
	_ = json.NewEncoder(w).Encode(body) // the client may have disconnected
}

func refuse(w http.ResponseWriter, code int, what string) {
	reasons := map[int]metav1.StatusReason{
		http.StatusForbidden: metav1.StatusReasonForbidden, http.StatusNotFound: metav1.StatusReasonNotFound, http.StatusGone: metav1.StatusReasonExpired,
		http.StatusServiceUnavailable: metav1.StatusReasonServiceUnavailable,
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(metav1.Status{ // the client may have disconnected
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: int32(code), //nolint:gosec // a status code
		Reason: reasons[code], Message: what + " is refused by the test",
	})
}
