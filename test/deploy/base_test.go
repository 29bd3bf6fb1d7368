package deploy

import (
	"fmt"
	"slices"
	"testing"
)

func TestProbesReachTheProgram(t *testing.T) {
	for _, dir := range []string{"base", "observe", "promote", "schedule"} {
		made := build(t, dir)
		container := []any{"spec", "template", "spec", "containers", 0}
		at := func(more ...any) any { return made.at(t, deployment, append(slices.Clone(container), more...)...) }
		args, _ := at("args").([]any)
		if !slices.Contains(args, any("--listen=:8080")) {
			t.Errorf("%s listens nowhere: %v", dir, args)
		}
		if port := fmt.Sprintf("%v %v", at("ports", 0, "name"), at("ports", 0, "containerPort")); port != "http 8080" {
			t.Errorf("%s has the port %s", dir, port)
		}
		for _, probe := range []string{"livenessProbe", "readinessProbe", "startupProbe"} {
			if got := at(probe, "httpGet", "port"); got != "http" {
				t.Errorf("%s asks for the %s on %v", dir, probe, got)
			}
		}
		if got := made.at(t, "NetworkPolicy kratix-schedule/kratix-schedule", "spec", "ingress", 0, "ports", 0, "port"); got != "http" {
			t.Errorf("%s lets in %v", dir, got)
		}
		from := made.at(t, "NetworkPolicy kratix-schedule/kratix-schedule", "spec", "ingress", 0, "from")
		if got := fmt.Sprint(from); got != "[map[namespaceSelector:map[matchLabels:map[kubernetes.io/metadata.name:monitoring]]]]" {
			t.Errorf("%s lets in %s", dir, got)
		}
		if got := made.at(t, "Service kratix-schedule/kratix-schedule", "spec", "ports", 0, "targetPort"); got != "http" {
			t.Errorf("%s serves %v", dir, got)
		}
	}
}

func TestPodIsRestricted(t *testing.T) {
	made := build(t, "base")
	pod := []any{"spec", "template", "spec"}
	for _, wanted := range []struct {
		path []any
		is   string
	}{
		{[]any{"serviceAccountName"}, "kratix-schedule"},
		{[]any{"securityContext", "runAsNonRoot"}, "true"},
		{[]any{"securityContext", "seccompProfile", "type"}, "RuntimeDefault"},
		{[]any{"containers", 0, "securityContext", "capabilities"}, "map[drop:[ALL]]"},
		{[]any{"containers", 0, "securityContext", "readOnlyRootFilesystem"}, "true"},
		{[]any{"containers", 0, "securityContext", "allowPrivilegeEscalation"}, "false"},
		{[]any{"containers", 0, "resources", "limits", "memory"}, "1Gi"},
	} {
		if got := fmt.Sprint(made.at(t, deployment, append(slices.Clone(pod), wanted.path...)...)); got != wanted.is {
			t.Errorf("%v is %s, want %s", wanted.path, got, wanted.is)
		}
	}
	if got := made.at(t, itself, "metadata", "labels", "pod-security.kubernetes.io/enforce"); got != "restricted" {
		t.Errorf("the namespace enforces %v", got)
	}
}
