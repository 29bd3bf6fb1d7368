package kube

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
)

func TestSecondOfTwoConflictingRequestsWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	p.destination("worker-1", "default", "none", map[string]string{"environment": "dev"})
	p.schedule("--leader-elect")
	apply := func(file string) string {
		content, err := os.ReadFile(root + "/testdata/elastic-cloud/" + file)
		must(t, err)
		p.apply(string(content))
		for line := range strings.Lines(string(content)) {
			if name, ok := strings.CutPrefix(line, "  name: "); ok {
				return "work/" + strings.TrimSpace(name)
			}
		}
		return ""
	}
	one := apply("work-example.yaml")
	p.kubectl("wait", "--for=condition=Ready", "--timeout=90s", one)
	p.waitForCondition(one, "ConflictFree", "True NoConflict")
	placement := "workplacement/" + strings.TrimPrefix(one, "work/") + ".worker-1-5058f"
	p.waitForCondition(placement, "Ready", "True WorkloadsWrittenToTargetDestination")
	if got, want := p.get(placement, "{.status.versionID}"), gittest.Git(t, p.repository, "rev-parse", "main"); got != want {
		t.Errorf("versionID %q, want the commit %q", got, want)
	}
	if got := p.get(placement, "{.metadata.finalizers[0]} {.metadata.ownerReferences[0].kind} {.metadata.ownerReferences[0].uid}"); got !=
		"finalizers.workplacement.kratix.io/repo-cleanup Work "+p.get(one, "{.metadata.uid}") {
		t.Errorf("metadata %q", got)
	}

	two := apply("work-second-request.yaml")
	p.waitForCondition(two, "ConflictFree", "False DuplicateResources")
	p.waitForCondition(two, "Ready", "False WorkplacementsFailing")
	p.waitForCondition("destination/worker-1", "ConflictFree", "False DuplicateResources")
	// A controller of Kratix would write the files of a WorkPlacement.
	if got := p.kubectl("get", "workplacements", "-A", "-o", "name"); strings.Contains(got, strings.TrimPrefix(two, "work/")+".") {
		t.Errorf("what is held back has a WorkPlacement: %s", got)
	}
	said := p.kubectl("describe", two)
	for _, want := range []string{"CustomResourceDefinition", "request default/example of Promise elastic-cloud", "may not add resource with an already registered id", "Warning", "Promise's dependencies"} {
		if !strings.Contains(said, want) {
			t.Errorf("kubectl describe does not say %q:\n%s", want, said)
		}
	}

	p.kubectl("delete", one, "--wait=false")
	p.kubectl("wait", "--for=condition=Ready", "--timeout=90s", two)
	p.waitForCondition(two, "ConflictFree", "True NoConflict")
	p.kubectl("wait", "--for=delete", "--timeout=90s", placement)
	p.waitForCondition("destination/worker-1", "ConflictFree", "True NoConflict")
}

func TestPlacementIsMisplacedWhileItsDestinationDoesNotFit(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	dev := map[string]string{"environment": "dev"}
	p.destination("worker-1", "default", "none", dev)
	p.destination("worker-2", "default", "none", map[string]string{"environment": "prod"})
	p.schedule()
	p.object(work("a", dev, "one"))
	const placement = "workplacement/a.worker-1-5058f"
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")

	p.destination("worker-1", "default", "none", map[string]string{"environment": "other"})
	p.waitForCondition("work/a", "Ready", "False Misplaced")
	p.waitForCondition("work/a", "ScheduleSucceeded", "False DestinationSelectorMismatch")
	p.waitForCondition(placement, "ScheduleSucceeded", "False DestinationSelectorMismatch")
	p.waitForField(placement, "{.metadata.labels['kratix\\.io/misplaced']}", "true")
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml")

	p.destination("worker-1", "default", "none", dev)
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.waitForField(placement, "{.metadata.labels['kratix\\.io/misplaced']}", "")
}

func TestDestinationIsEmptiedOnlyIfItCleansUp(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	one, two := map[string]string{"on": "1"}, map[string]string{"on": "2"}
	p.destination("worker-1", "default", "all", one)
	p.destination("worker-2", "default", "none", two)
	p.schedule()
	p.object(work("a", one, "one"))
	p.object(work("b", two, "two"))
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("work/b", "Ready", "True AllWorkplacementsScheduled")
	p.waitForField("destination/worker-1", "{.metadata.finalizers[0]}", "kratix.io/destination-cleanup")
	const stays = "worker-2/resources/default/redis/b/instance/5058f/two.yaml"
	p.waitForFiles("worker-1/resources/default/redis/a/instance/5058f/one.yaml", stays)

	p.kubectl("delete", "destination/worker-1", "destination/worker-2", "--timeout=40s")
	p.waitForFiles(stays)
	p.waitForCondition("work/a", "Ready", "False UnscheduledWorkloads")
	p.waitForCondition("work/b", "Ready", "False Misplaced")

	// A missing Destination does not block deletion.
	p.kubectl("delete", "work/a", "work/b", "--timeout=40s")
	p.eventually("WorkPlacements", func() string { return p.kubectl("get", "workplacements", "-A", "-o", "name") })
}

func TestRotatedCredentialsAreUsed(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	p.secret("git", "outdated")
	p.destination("worker-1", "default", "none", nil)
	p.schedule()
	p.object(work("a", nil, "one"))
	p.waitForCondition("gitstatestore/default", "Ready", "False ErrorInitialisingWriter")
	p.waitForCondition("destination/worker-1", "Ready", "False StateStoreNotReady")
	p.secret("git", gittest.Password)
	p.waitForCondition("gitstatestore/default", "Ready", "True StateStoreReady")
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("destination/worker-1", "Ready", "True TestDocumentsWritten")
}

func TestRoundInWhichNothingChangedWritesNothing(t *testing.T) {
	p := newPlatform(t, "base")
	p.destination("worker-1", "default", "none", nil)
	at := address(t)
	p.schedule("--listen", at)
	p.object(work("a", nil, "one"))
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("gitstatestore/default", "Ready", "True StateStoreReady")
	writes := p.counted(at, "kratix_schedule_api_writes_total")
	p.object(work("b", nil, "two"))
	p.waitForCondition("work/b", "Ready", "True AllWorkplacementsScheduled")
	p.eventually("the writes for a new placement", func() string {
		if got := p.counted(at, "kratix_schedule_api_writes_total") - writes; got != 3 {
			return fmt.Sprintf("%v, want 3", got)
		}
		return ""
	})
	writes = p.counted(at, "kratix_schedule_api_writes_total")
	rounds := p.counted(at, "kratix_schedule_rounds_total")
	p.kubectl("label", "destination/worker-1", "unrelated=yes")
	p.eventually("a round", func() string {
		if p.counted(at, "kratix_schedule_rounds_total") <= rounds {
			return "none was done"
		}
		return ""
	})
	if got := p.counted(at, "kratix_schedule_api_writes_total"); got != writes {
		t.Errorf("%v writes", got-writes)
	}
}

func TestFilesOfKratixAreAdoptedWithoutARewrite(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	const file = "worker-2/resources/default/redis/a/instance/5058f/one.yaml"
	w := work("a", nil, "one")
	content, err := kratix.Decode(w.Spec.WorkloadGroups[0].Workloads[0].Content)
	must(t, err)
	gittest.Commit(t, p.repository, "main", map[string]string{file: string(content)})
	blob := gittest.Git(t, p.repository, "rev-parse", "main:"+file)
	p.destination("worker-1", "default", "none", nil)
	p.destination("worker-2", "default", "none", nil)
	p.object(w)
	w.Generation = 1
	left := testkit.Placement(w, "worker-2")
	left.Finalizers = []string{kratix.PlacementFinalizer}
	left.Spec.Generation = 0
	p.object(left)

	p.schedule()
	p.waitForCondition("work/a", "Ready", "True AllWorkplacementsScheduled")
	p.waitForCondition("workplacement/a.worker-2-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
	p.waitForFiles(file)
	if got := gittest.Git(t, p.repository, "rev-parse", "main:"+file); got != blob {
		t.Errorf("the file was rewritten: %s is %s", blob, got)
	}
	if got := gittest.Git(t, p.repository, "log", "--format=%h", "main", "--", file); strings.Contains(got, "\n") {
		t.Errorf("commits of the file: %s", got)
	}
	if got := p.kubectl("get", "workplacements", "-o", "name"); got != "workplacement.platform.kratix.io/a.worker-2-5058f" {
		t.Errorf("WorkPlacements %s", got)
	}
}

func TestStoreCanBeABucket(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "base")
	s3 := buckettest.MinIO(t)
	bucket := s3.Bucket(t)
	p.object(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": "s3", "namespace": "default"},
		"stringData": map[string]string{"accessKeyID": buckettest.AccessKey, "secretAccessKey": buckettest.SecretKey},
	})
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.BucketStateStoreKind, "metadata": map[string]any{"name": "s3"},
		"spec": map[string]any{"bucketName": bucket, "endpoint": s3.Endpoint, "insecure": true, "secretRef": map[string]any{"name": "s3"}},
	})
	p.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.DestinationKind, "metadata": map[string]any{"name": "worker-1"},
		"spec": map[string]any{"path": "worker-1", "stateStoreRef": map[string]any{"kind": kratix.BucketStateStoreKind, "name": "s3"}},
	})
	p.schedule()
	p.object(work("a", nil, "one"))
	p.kubectl("wait", "--for=condition=Ready", "--timeout=40s", "work/a")
	if _, err := s3.Client.StatObject(t.Context(), bucket, "worker-1/resources/default/redis/a/instance/5058f/one.yaml", minio.StatObjectOptions{}); err != nil {
		t.Error(err)
	}
	p.waitForCondition("bucketstatestore/s3", "Ready", "True StateStoreReady")
}
