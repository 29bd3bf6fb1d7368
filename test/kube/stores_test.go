package kube

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func TestStoreReportsTheCauseOfItsFailure(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	const git, bucket = "gitstatestore/default", "bucketstatestore/s3"
	p.kubectl("delete", "secret/git")
	s3 := buckettest.MinIO(t)
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.BucketStateStoreKind, "metadata": map[string]any{"name": "s3"},
		"spec": map[string]any{"bucketName": s3.Bucket(t), "endpoint": s3.Endpoint, "insecure": true, "secretRef": map[string]any{"name": "s3"}},
	})
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.DestinationKind, "metadata": map[string]any{"name": "worker-2"},
		"spec": map[string]any{"path": "worker-2", "stateStoreRef": map[string]any{"kind": kratix.BucketStateStoreKind, "name": "s3"}},
	})
	p.destination("worker-1", "default", "none", nil)
	p.schedule()
	p.waitForCondition(git, "Ready", "False SecretNotFound")
	p.waitForCondition(bucket, "Ready", "False SecretNotFound")
	p.waitForCondition("destination/worker-1", "Ready", "False StateStoreNotReady")
	p.waitForField(git, "{.status.status}", "NotReady")

	secret := func(name string, values map[string]string) {
		p.object(map[string]any{
			"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name, "namespace": "default"}, "stringData": values,
		})
	}
	secret("git", map[string]string{"username": gittest.User})
	secret("s3", map[string]string{"accessKeyID": buckettest.AccessKey})
	p.waitForCondition(git, "Ready", "False ErrorInitialisingWriter")
	p.waitForCondition(bucket, "Ready", "False ErrorInitialisingWriter")

	secret("git", map[string]string{"username": gittest.Reader, "password": gittest.Password, "ca.crt": string(p.server.CA)})
	secret("s3", map[string]string{"accessKeyID": buckettest.AccessKey, "secretAccessKey": "wrong"})
	p.waitForCondition(git, "Ready", "False ErrorValidatingPermissions")
	p.waitForCondition(bucket, "Ready", "False ErrorValidatingPermissions")
	p.waitForCondition("destination/worker-2", "Ready", "False StateStoreNotReady")

	p.secret("git", gittest.Password)
	secret("s3", map[string]string{"accessKeyID": buckettest.AccessKey, "secretAccessKey": buckettest.SecretKey})
	for _, store := range []string{git, bucket} {
		p.waitForCondition(store, "Ready", "True StateStoreReady")
		p.waitForField(store, "{.status.status}", "Ready")
	}
	p.waitForCondition("destination/worker-1", "Ready", "True TestDocumentsWritten")
	p.waitForCondition("destination/worker-2", "Ready", "True TestDocumentsWritten")
}

func TestDestinationGoesOnlyAfterItsFiles(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	one, two := map[string]string{"on": "1"}, map[string]string{"on": "2"}
	p.destination("worker-1", "default", "all", one)
	p.destination("worker-2", "default", "none", two)
	p.schedule()
	p.object(work("a", one, "one"))
	p.object(work("b", two, "two"))
	const goes, stays = "worker-1/resources/default/redis/a/instance/5058f/one.yaml", "worker-2/resources/default/redis/b/instance/5058f/two.yaml"
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("work/b", "Ready", "True AllWorkplacementsScheduled")
	p.waitForField("destination/worker-1", "{.metadata.finalizers[0]}", kratix.DestinationFinalizer)
	p.waitForField("destination/worker-2", "{.metadata.finalizers}", "")

	gittest.Hook(t, p.repository, "pre-receive", "test -e open || exit 1")
	p.kubectl("delete", "destination/worker-1", "destination/worker-2", "--wait=false")
	p.waitForCondition("gitstatestore/default", "Ready", "False ErrorValidatingPermissions")
	if got := p.get("destinations", "{.items[*].metadata.name} {.items[*].metadata.finalizers}"); got != "worker-1 [\""+kratix.DestinationFinalizer+"\"]" {
		t.Errorf("while the store refuses there are %s", got)
	}
	if got := p.files(); !slices.Equal(got, []string{goes, stays}) {
		t.Errorf("files %v", got)
	}
	must(t, os.WriteFile(p.repository+"/open", nil, 0o600))
	p.kubectl("wait", "--for=delete", "--timeout=90s", "destination/worker-1")
	p.waitForFiles(stays)
	if all := gittest.Git(t, p.repository, "ls-tree", "-r", "--name-only", "main"); strings.Contains(all, "worker-1/") {
		t.Errorf("of a Destination that is gone there is still\n%s", all)
	}
}
