package agent_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	for parser, parse := range map[string]func([]byte) (agent.Event, error){"flux": agent.ParseFlux, "argocd": agent.ParseArgoCD} {
		bodies, err := filepath.Glob(filepath.Join("testdata", parser, "*.json"))
		if err != nil || len(bodies) == 0 {
			t.Fatal("there are no bodies", err)
		}
		for _, file := range bodies {
			t.Run(parser+"/"+filepath.Base(file), func(t *testing.T) {
				body, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				event, err := parse(body)
				if err != nil {
					t.Fatal(err)
				}
				checkEvent(t, event)
				got, err := json.MarshalIndent(event, "", "  ")
				if err != nil {
					t.Fatal(err)
				}
				golden := strings.TrimSuffix(file, ".json") + ".golden"
				if *update {
					if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if string(got)+"\n" != string(want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

func TestArgoCD(t *testing.T) {
	const commit, before = "0123456789012345678901234567890123456789", "9876543210987654321098765432109876543210"
	type body = map[string]any
	invalid := `one or more objects failed to apply, reason: Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1`
	web := body{"kind": "Deployment", "namespace": "shop", "name": "web", "message": `Deployment.apps "web" is invalid`}
	for name, test := range map[string]struct {
		body body
		want agent.Event
	}{
		"synced and healthy": {
			body: body{"sync": body{"status": "Synced", "revision": commit}, "health": body{"status": "Healthy"}, "operation": body{"phase": "Succeeded", "revision": commit}},
			want: agent.Event{Revision: commit, Outcome: agent.Healthy, Message: "Synced and Healthy"},
		},
		"synced without a sync of this commit": {
			body: body{"sync": body{"status": "Synced", "revision": commit}, "health": body{"status": "Healthy"}, "operation": body{"phase": "Failed", "revision": before, "message": invalid}},
			want: agent.Event{Revision: commit, Outcome: agent.Healthy, Message: "Synced and Healthy"},
		},
		"synced and progressing": {
			body: body{"sync": body{"status": "Synced", "revision": commit}, "health": body{"status": "Progressing"}},
			want: agent.Event{Revision: commit, Outcome: agent.Applied, Message: "Synced; health is Progressing"},
		},
		"degraded": {
			body: body{"sync": body{"status": "Synced", "revision": commit}, "health": body{"status": "Degraded", "message": "apps/Deployment:shop/web"}, "unhealthy": []body{web}},
			want: agent.Event{
				Revision: commit, Outcome: agent.HealthFailed, Objects: []agent.Object{{Kind: "Deployment", Namespace: "shop", Name: "web"}},
				Message: "health is Degraded: apps/Deployment:shop/web\nDeployment/shop/web: Deployment.apps \"web\" is invalid",
			},
		},
		"a sync failed": {
			body: body{"sync": body{"status": "OutOfSync", "revision": commit}, "health": body{"status": "Healthy"}, "operation": body{"phase": "Failed", "revision": commit, "message": invalid, "failed": []body{web, web}}},
			want: agent.Event{Revision: commit, Outcome: agent.ApplyFailed, Objects: []agent.Object{{Kind: "Deployment", Namespace: "shop", Name: "web"}}, Message: invalid},
		},
		"a hook failed": {
			body: body{"sync": body{"status": "Synced", "revision": commit}, "health": body{"status": "Healthy"}, "operation": body{"phase": "Failed", "revision": commit, "message": "one or more synchronization tasks completed unsuccessfully", "failed": []body{{"kind": "Job", "namespace": "shop", "name": "migrate"}}}},
			want: agent.Event{Revision: commit, Outcome: agent.HealthFailed, Objects: []agent.Object{{Kind: "Job", Namespace: "shop", Name: "migrate"}}, Message: "one or more synchronization tasks completed unsuccessfully"},
		},
		"the files cannot be read": {
			body: body{
				"sync": body{"status": "Unknown", "revision": "main"}, "health": body{"status": "Healthy"},
				"conditions": []body{{"type": "ComparisonError", "message": "Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = FailedPrecondition desc = Failed to unmarshal \"web.yaml\""}},
			},
			want: agent.Event{Outcome: agent.BuildFailed, Message: "ComparisonError: Failed to load target state: failed to generate manifest for source 1 of 1: rpc error: code = FailedPrecondition desc = Failed to unmarshal \"web.yaml\""},
		},
		"a sync failed since the files cannot be read": {
			body: body{"sync": body{"status": "OutOfSync", "revision": before}, "operation": body{"phase": "Error", "revision": commit, "message": "ComparisonError: Failed to load target state: rpc error"}},
			want: agent.Event{Revision: commit, Outcome: agent.BuildFailed, Message: "ComparisonError: Failed to load target state: rpc error"},
		},
		"a sync failed and is tried again": {
			body: body{"sync": body{"status": "OutOfSync", "revision": commit}, "operation": body{"phase": "Running", "retrying": true, "revision": commit, "message": invalid + ". Retrying attempt #1 at 5:00AM.", "failed": []body{web}}},
			want: agent.Event{Revision: commit, Outcome: agent.ApplyFailed, Objects: []agent.Object{{Kind: "Deployment", Namespace: "shop", Name: "web"}}, Message: invalid + ". Retrying attempt #1 at 5:00AM."},
		},
		"a sync is running": {
			body: body{"sync": body{"status": "OutOfSync", "revision": commit}, "operation": body{"phase": "Running", "message": "waiting for healthy state of apps/Deployment/web"}},
			want: agent.Event{Revision: commit, Outcome: agent.Progressing, Message: "waiting for healthy state of apps/Deployment/web"},
		},
		"nulls, as from an Application without a sync": {
			body: body{"sync": nil, "health": nil, "operation": nil, "conditions": nil, "unhealthy": nil},
			want: agent.Event{Outcome: agent.Progressing},
		},
		"names that are none": {
			body: body{
				"sync": body{"status": "OutOfSync", "revision": commit},
				"operation": body{"phase": "Failed", "revision": commit, "failed": []body{
					{"kind": "ConfigMap", "namespace": "", "name": "shop/victim"}, {"kind": "", "name": "x"}, {"kind": "Con fig", "name": "x"}, {"kind": "ConfigMap", "namespace": "n", "name": "x\n"},
				}},
			},
			want: agent.Event{Revision: commit, Outcome: agent.ApplyFailed},
		},
	} {
		t.Run(name, func(t *testing.T) {
			test.body["destination"], test.body["root"], test.body["time"] = "worker-1", "resources", "2026-11-30T05:00:00.123Z"
			encoded, err := json.Marshal(test.body)
			if err != nil {
				t.Fatal(err)
			}
			event, err := agent.ParseArgoCD(encoded)
			if err != nil {
				t.Fatal(err)
			}
			test.want.Destination, test.want.Root, test.want.Time = "worker-1", "resources", event.Time
			got, _ := json.Marshal(event)
			want, _ := json.Marshal(test.want)
			if string(got) != string(want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestMalformedBodies(t *testing.T) {
	for body, want := range map[string]string{
		"":             "not an event: the body is no JSON of Flux",
		"[]":           "not an event: the body is no JSON of Flux",
		"null":         "not an event: it has no involvedObject or no timestamp",
		`{"a":1}`:      "not an event: it has no involvedObject or no timestamp",
		`{} {}`:        "not an event: the body is no JSON of Flux",
		`{"message":1`: "not an event: the body is no JSON of Flux",
	} {
		if _, err := agent.ParseFlux([]byte(body)); message(err) != want {
			t.Errorf("ParseFlux(%s): got %v, want %s", body, err, want)
		}
	}
	for body, want := range map[string]string{
		"":                        "not an event: the body is no JSON of the template that agent argocd prints",
		"{}":                      "not an event: it names no destination: add it to the template that agent argocd prints",
		`{"destination":"a"}`:     "not an event: it has no time",
		`{"destination":"A\n"}`:   "not an event: its destination cannot be the name of a Destination: see the template that agent argocd prints",
		`{"destination":["a"]}`:   "not an event: the body is no JSON of the template that agent argocd prints",
		`{"time":"yesterday"}`:    "not an event: the body is no JSON of the template that agent argocd prints",
		"{\"destination\":\"\xff": "not an event: the body is no JSON of the template that agent argocd prints",
	} {
		if _, err := agent.ParseArgoCD([]byte(body)); message(err) != want {
			t.Errorf("ParseArgoCD(%s): got %v, want %s", body, err, want)
		}
	}
}
