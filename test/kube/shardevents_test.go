package kube

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

const rolloutInShards = `apiVersion: kratix-schedule.io/v1alpha1
kind: Rollout
metadata: {name: operators}
spec:
  waves:
  - {name: canary, destinations: {matchLabels: {wave: canary}}, gate: healthy, deadline: 1h}
  - {name: all}
`

// TestRolloutInTwoShards sends the events of one shard's Destination to the other shard, as the
// Service of the chart may do.
func TestRolloutInTwoShards(t *testing.T) {
	t.Parallel()
	const token = "the secret of a test"
	p := newPlatform(t, "base")
	other := filepath.Join(filepath.Dir(p.repository), "other.git")
	gittest.Git(t, "", "init", "--bare", "--initial-branch=main", other)
	p.gitStoreAt("other", other, "")
	p.kubectl("label", "gitstatestore/other", kratix.ShardLabel+"="+shardOne)
	p.destination("a", "default", "none", nil)
	p.destination("b", "other", "none", map[string]string{"wave": "canary"})
	secret, defaultAt := p.write("token", token), address(t)
	shard := func(selector, at string) *process {
		return p.schedule("--leader-elect", "--lease-duration", "3s", "--watch-label-selector", selector, "--listen", at, "--events-secret-file", secret)
	}
	shard("!"+kratix.ShardLabel, defaultAt)
	owner := shard(kratix.ShardLabel+"="+shardOne, address(t))
	wants := func(content string) {
		w := workWith("operator", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: operator, namespace: default}\ndata: {version: "+content+"}\n")
		w.Spec.ResourceName = ""
		p.object(w)
	}
	has := func(repository, content string) bool {
		return exec.Command("git", "-C", repository, "grep", "-q", "version: "+content, "main").Run() == nil
	}
	waitFor := func(repository, content string) {
		t.Helper()
		p.eventually(repository, func() string {
			if !has(repository, content) {
				return "it has not " + content
			}
			return ""
		})
	}
	reportHealthy := func(revision string) {
		t.Helper()
		body, err := json.Marshal(map[string]any{
			"involvedObject": map[string]string{"kind": "Kustomization", "name": "b", "namespace": fluxNamespace}, "severity": "info", "reason": "ReconciliationSucceeded",
			"timestamp": time.Now().UTC(), "message": "Reconciliation finished in 1s, next run in 10m0s",
			"metadata": map[string]string{"revision": "main@sha1:" + revision, "destination": "b", "root": "dependencies", "health": "checked"},
		})
		must(t, err)
		must(t, (&notifierStandIn{address: "http://" + defaultAt + "/api/v1/events/flux", token: token}).try(body))
	}
	p.waitForCondition("destination/b", "Ready", "True TestDocumentsWritten")
	wants("v1")
	waitFor(p.repository, "v1")
	waitFor(other, "v1")

	p.apply(rolloutInShards)
	p.waitForCondition("rollout/operators", "Ready", "True Complete")
	wants("v2")
	waitFor(other, "v2")
	p.waitForCondition("rollout/operators", "Ready", "False Progressing")
	if has(p.repository, "v2") {
		t.Error("the second wave has the new content before the first is healthy")
	}
	owner.stop(t) // what has been reported must reach the owner after its start, too
	reportHealthy(gittest.Git(t, other, "rev-parse", "main"))
	waitFor(p.repository, "v2")
	p.waitForCondition("rollout/operators", "Ready", "True Complete")
	shard(kratix.ShardLabel+"="+shardOne, address(t))
	p.waitForCondition("workplacement/operator.b-5058f", "Healthy", "True Healthy")
	p.waitForCondition("work/operator", "RolledOut", "True Complete")
}
