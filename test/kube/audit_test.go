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

// audit is the log that the API server keeps of what kratix-schedule, and a stand-in
// of Kratix, write: what was asked of it, whatever the programs themselves count.
type audit struct {
	t    testing.TB
	path string
	// read is how much of the log was counted before.
	read int
}

// ourUser is the user that kratix-schedule is to the API server.
const ourUser = "system:serviceaccount:" + namespace + ":kratix-schedule"

// newAudit gives the flags of an API server that keeps the log.
func newAudit(t testing.TB) (a *audit, flags []string) {
	t.Helper()
	dir := t.TempDir()
	a = &audit{t: t, path: filepath.Join(dir, "audit.log")}
	policy := filepath.Join(dir, "policy.yaml")
	must(t, os.WriteFile(policy, []byte(`apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: ["`+ourUser+`", "`+kratixlike.User+`"]
  verbs: [create, update, patch, delete, deletecollection]
- level: None
`), 0o600))
	return a, []string{"--audit-policy-file=" + policy, "--audit-log-path=" + a.path}
}

// written counts our writes since the last time, by "verb resource/subresource".
// Those that the API server refused count too; dry runs write nothing.
func (a *audit) written() map[string]int {
	a.t.Helper()
	return a.writtenByUser()[ourUser]
}

// writtenByUser is written for each user.
func (a *audit) writtenByUser() map[string]map[string]int {
	a.t.Helper()
	counted := map[string]map[string]int{ourUser: {}, kratixlike.User: {}}
	content, err := os.ReadFile(a.path)
	if os.IsNotExist(err) {
		return counted
	}
	must(a.t, err)
	whole := bytes.LastIndexByte(content, '\n') + 1
	lines := bufio.NewScanner(bytes.NewReader(content[a.read:whole]))
	lines.Buffer(nil, 1<<20)
	a.read = whole
	for lines.Scan() {
		var entry struct {
			Verb, RequestURI string

			User      struct{ Username string }
			ObjectRef struct{ Resource, Subresource string }
		}
		must(a.t, json.Unmarshal(lines.Bytes(), &entry))
		if strings.Contains(entry.RequestURI, "dryRun=All") {
			continue
		}
		resource := entry.ObjectRef.Resource
		if entry.ObjectRef.Subresource != "" {
			resource += "/" + entry.ObjectRef.Subresource
		}
		counted[entry.User.Username][entry.Verb+" "+resource]++
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
