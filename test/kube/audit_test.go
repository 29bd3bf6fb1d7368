package kube

import (
	"bufio"
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

type audit struct {
	t    testing.TB
	path string
	user string
	read int
}

const shippedUser = "system:serviceaccount:" + namespace + ":kratix-schedule"

func newAudit(t testing.TB) (a *audit, flags []string) {
	t.Helper()
	dir := t.TempDir()
	a = &audit{t: t, path: filepath.Join(dir, "audit.log"), user: shippedUser}
	policy := filepath.Join(dir, "policy.yaml")
	must(t, os.WriteFile(policy, []byte(`apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: ["`+shippedUser+`", "`+kratixlike.User+`"]
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`), 0o600))
	return a, []string{"--audit-policy-file=" + policy, "--audit-log-path=" + a.path}
}

func (a *audit) of(user string) *audit { return &audit{t: a.t, path: a.path, user: user} }

func (a *audit) written() map[string]int {
	a.t.Helper()
	content, err := os.ReadFile(a.path)
	if os.IsNotExist(err) {
		return map[string]int{}
	}
	must(a.t, err)
	whole := bytes.LastIndexByte(content, '\n') + 1
	lines := bufio.NewScanner(bytes.NewReader(content[a.read:whole]))
	lines.Buffer(nil, 1<<20)
	a.read = whole
	counted := map[string]int{}
	for lines.Scan() {
		var entry struct {
			Verb, RequestURI string

			User      struct{ Username string }
			ObjectRef struct{ Resource, Subresource string }
		}
		must(a.t, json.Unmarshal(lines.Bytes(), &entry))
		if entry.User.Username != a.user || strings.Contains(entry.RequestURI, "dryRun=All") {
			continue
		}
		resource := entry.ObjectRef.Resource
		if entry.ObjectRef.Subresource != "" {
			resource += "/" + entry.ObjectRef.Subresource
		}
		counted[entry.Verb+" "+resource]++
	}
	must(a.t, lines.Err())
	return counted
}

func sum(counted map[string]int) int {
	total := 0
	for count := range maps.Values(counted) {
		total += count
	}
	return total
}
