package agents_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/Masterminds/sprig/v3"
	"github.com/expr-lang/expr"
	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

var update = flag.Bool("update", false, "write the bodies that internal/agent parses in its tests")

type notifications struct {
	service struct {
		URL     string                         `json:"url"`
		Headers []struct{ Name, Value string } `json:"headers"`
	}
	template struct {
		Webhook map[string]struct{ Method, Path, Body string } `json:"webhook"`
	}
	triggers []struct {
		Description string   `json:"description"`
		When        string   `json:"when"`
		OncePer     string   `json:"oncePer"`
		Send        []string `json:"send"`
	}
}

func configured(t *testing.T) notifications {
	t.Helper()
	text, err := os.ReadFile("../../internal/agent/manifests/testdata/argocd/worker-1.yaml")
	if err != nil {
		t.Fatal(err)
	}
	documents := strings.Split(string(text), "\n---\n")
	var object struct{ Data map[string]string }
	if err := yaml.Unmarshal([]byte(documents[len(documents)-1]), &object); err != nil {
		t.Fatal(err)
	}
	var made notifications
	for key, into := range map[string]any{"service.webhook.kratix-schedule": &made.service, "template.kratix-schedule": &made.template, "trigger.on-kratix-schedule": &made.triggers} {
		if err := yaml.UnmarshalStrict([]byte(object.Data[key]), into); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	return made
}

// body returns the body of an event about an Application as Argo CD renders it.
func (n notifications) body(t *testing.T, app map[string]any) string {
	t.Helper()
	functions := sprig.TxtFuncMap()
	delete(functions, "env")
	delete(functions, "expandenv")
	functions["now"] = func() time.Time { return time.Date(2026, 11, 30, 5, 0, 0, 0, time.UTC) }
	parsed, err := template.New("body").Funcs(functions).Parse(n.template.Webhook["kratix-schedule"].Body)
	if err != nil {
		t.Fatal(err)
	}
	var body bytes.Buffer
	if err := parsed.Execute(&body, map[string]any{"app": app}); err != nil {
		t.Fatal(err)
	}
	return body.String()
}

// triggered reports whether Argo CD would send an event about an Application. once is the key by
// which Argo CD recognizes a sent event.
func (n notifications) triggered(t *testing.T, app map[string]any) (sends bool, once string) {
	t.Helper()
	evaluate := func(text string) any {
		program, err := expr.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		value, err := expr.Run(program, map[string]any{"app": app})
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	sends, _ = evaluate(n.triggers[0].When).(bool)
	return sends, fmt.Sprint(evaluate(n.triggers[0].OncePer))
}

func applications(t *testing.T) map[string]map[string]any {
	t.Helper()
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	apps := map[string]map[string]any{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var app map[string]any
		if err := yaml.Unmarshal(text, &app); err != nil {
			t.Fatal(err)
		}
		apps[strings.TrimSuffix(filepath.Base(file), ".yaml")] = app
	}
	return apps
}

func TestNotificationsReportWhatHappened(t *testing.T) {
	n := configured(t)
	if n.service.Headers[0].Value != "Bearer $kratix-schedule-token" || n.triggers[0].Send[0] != "kratix-schedule" || n.template.Webhook["kratix-schedule"].Path != agent.ArgoCDPath {
		t.Errorf("got %+v", n)
	}
	want := map[string]agent.Outcome{
		"new": "", "running": "", "healthy": agent.Healthy, "applied": agent.Applied, "degraded": agent.HealthFailed, "hook-failed": agent.HealthFailed,
		"apply-failed": agent.ApplyFailed, "retrying": agent.ApplyFailed, "build-failed": agent.BuildFailed,
	}
	keys := map[string]string{}
	for name, app := range applications(t) {
		t.Run(name, func(t *testing.T) {
			sends, once := n.triggered(t, app)
			if sends != (want[name] != "") {
				t.Errorf("it sends an event: %t", sends)
			}
			if other, ok := keys[once]; sends && ok {
				t.Errorf("the same key as %s: %s", other, once)
			}
			keys[once] = name
			body := n.body(t, app)
			event, err := agent.ParseArgoCD([]byte(body))
			if err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if outcome := event.Outcome; outcome != want[name] && (want[name] != "" || outcome != agent.Progressing) {
				t.Errorf("got %+v of %s", event, body)
			}
			if event.Destination != "worker-1" || event.Root != "resources" {
				t.Errorf("got %+v", event)
			}
			golden := "../../internal/agent/testdata/argocd/" + name + ".json"
			if *update {
				if err := os.WriteFile(golden, []byte(body+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if known, err := os.ReadFile(golden); err != nil || string(known) != body+"\n" {
				t.Errorf("%v: got %s\nwant %s", err, body, known)
			}
		})
	}
}

func TestBodiesAreBounded(t *testing.T) {
	var results, resources, conditions []any
	for i := range 2000 {
		object := map[string]any{"kind": "ConfigMap", "namespace": strings.Repeat("n", 63), "name": fmt.Sprintf("%s%d", strings.Repeat("x", 240), i), "message": strings.Repeat("é", 5000), "status": "SyncFailed"}
		results = append(results, object)
		resources = append(resources, map[string]any{"kind": "ConfigMap", "name": object["name"], "health": map[string]any{"status": "Degraded", "message": strings.Repeat("\x00<", 5000)}})
		conditions = append(conditions, map[string]any{"type": "ComparisonError", "message": strings.Repeat("\"", 5000)})
	}
	app := map[string]any{
		"metadata": map[string]any{"annotations": map[string]any{"kratix-schedule.io/destination": "worker-1", "kratix-schedule.io/root": "resources"}},
		"status": map[string]any{
			"sync":           map[string]any{"status": "OutOfSync", "revision": strings.Repeat("0", 40)},
			"health":         map[string]any{"status": "Degraded", "message": strings.Repeat("x", 100000)},
			"operationState": map[string]any{"phase": "Failed", "message": strings.Repeat("x", 100000), "syncResult": map[string]any{"revision": strings.Repeat("0", 40), "resources": results}},
			"resources":      resources, "conditions": conditions,
		},
	}
	body := configured(t).body(t, app)
	const most = 64 << 10
	if len(body) > most {
		t.Errorf("%d bytes", len(body))
	}
	event, err := agent.ParseArgoCD([]byte(body))
	if err != nil || len(event.Objects) != agent.MaxObjects {
		t.Errorf("%v: %d objects", err, len(event.Objects))
	}
}
