package kube

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/test/kube/kratixlike"
)

// registry is a registry with a login, beside a platform.
type registry struct {
	*platform
	host string
}

func (p *platform) registry() *registry {
	p.t.Helper()
	p.kubectl("apply", "-k", filepath.Join(root, "deploy/crds/own"))
	p.kubectl("wait", "--for=condition=Established", "--timeout=60s", "crd", "--all")
	return &registry{p, ocitest.RegistryWithLogin(p.t)}
}

func (r *registry) store(name string, secret map[string]string) {
	r.t.Helper()
	r.login(name, secret)
	r.object(map[string]any{
		"apiVersion": kratix.OwnAPIVersion, "kind": kratix.OCIStateStoreKind, "metadata": map[string]any{"name": name},
		"spec": map[string]any{"url": "oci://" + r.host + "/" + name, "insecure": true, "secretRef": map[string]any{"name": name}},
	})
}

func (r *registry) login(name string, secret map[string]string) {
	r.t.Helper()
	kind := "Opaque"
	if secret[".dockerconfigjson"] != "" {
		kind = "kubernetes.io/dockerconfigjson"
	}
	r.object(map[string]any{
		"apiVersion": "v1", "kind": "Secret", "type": kind, "metadata": map[string]any{"name": name, "namespace": "default"}, "stringData": secret,
	})
}

func (r *registry) dockerConfig(password string) map[string]string {
	r.t.Helper()
	text, err := json.Marshal(map[string]any{"auths": map[string]any{
		"https://index.docker.io/v1/": map[string]string{"username": "another", "password": "another"},
		r.host:                        map[string]string{"username": ocitest.Username, "password": password},
	}})
	must(r.t, err)
	return map[string]string{".dockerconfigjson": string(text)}
}

func (r *registry) destination(name, store, cleanup string, labels map[string]string) {
	r.t.Helper()
	r.object(map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.DestinationKind,
		"metadata": map[string]any{"name": name, "labels": labels, "annotations": map[string]string{kratix.StateStoreAnnotation: "OCIStateStore/" + store}},
		"spec": map[string]any{
			"path": name, "cleanup": cleanup, "stateStoreRef": map[string]any{"kind": kratix.GitStateStoreKind, "name": "default"},
		},
	})
}

// artifact returns the newest artifact of a Destination.
func (r *registry) artifact(store, destination string) statestore.State {
	r.t.Helper()
	opened, err := oci.Open(oci.Config{
		Name: store, URL: "oci://" + r.host + "/" + store, Dir: destination, Insecure: true,
		Auth: oci.Auth{Username: ocitest.Username, Password: ocitest.Password}, Now: time.Now,
	})
	must(r.t, err)
	defer opened.Close() //nolint:errcheck // it was only read
	state, err := opened.Read(r.t.Context())
	must(r.t, err)
	return state
}

func (r *registry) waitForArtifact(store, destination string, want ...string) {
	r.t.Helper()
	r.eventually("the artifact of "+destination, func() string {
		var got []string
		for path := range r.artifact(store, destination).Files.All() {
			if !strings.Contains(path.String(), "canary") && !strings.Contains(path.String(), ".kratix/") {
				got = append(got, path.String())
			}
		}
		if !slices.Equal(got, want) {
			return fmt.Sprintf("it has %v, want %v", got, want)
		}
		return ""
	})
}

func (r *registry) content(store, destination, file string) string {
	r.t.Helper()
	state := r.artifact(store, destination)
	for path := range state.Files.All() {
		if path.String() == file {
			content, err := state.Contents.Content(r.t.Context(), path)
			must(r.t, err)
			return string(content)
		}
	}
	return ""
}

func TestDestinationsInRegistry(t *testing.T) {
	t.Parallel()
	r := newPlatform(t, "base").registry()
	r.store("fleet", map[string]string{"username": ocitest.Username, "password": "wrong"})
	r.store("docker", r.dockerConfig(ocitest.Password))
	on := func(n string) map[string]string { return map[string]string{"on": n} }
	r.destination("worker-1", "fleet", "all", on("1"))
	r.destination("worker-2", "docker", "none", on("2"))
	r.schedule()
	r.object(work("a", on("1"), "one"))
	r.object(work("b", on("2"), "two"))
	const file1 = "worker-1/resources/default/redis/a/instance/5058f/one.yaml"
	const file2 = "worker-2/resources/default/redis/b/instance/5058f/two.yaml"

	r.waitForCondition("ocistatestore/docker", "Ready", "True StateStoreReady")
	r.waitForCondition("ocistatestore/fleet", "Ready", "False ErrorValidatingPermissions")
	r.waitForCondition("destination/worker-1", "Ready", "False StateStoreNotReady")
	r.login("fleet", map[string]string{"username": ocitest.Username, "password": ocitest.Password})
	for _, store := range []string{"fleet", "docker"} {
		r.waitForCondition("ocistatestore/"+store, "Ready", "True StateStoreReady")
		r.waitForField("ocistatestore/"+store, "{.status.status}", "Ready")
	}
	for _, of := range []string{"1", "2"} {
		r.waitForCondition("destination/worker-"+of, "Ready", "True TestDocumentsWritten")
	}
	for _, of := range []string{"a.worker-1", "b.worker-2"} {
		r.waitForCondition("workplacement/"+of+"-5058f", "Ready", "True WorkloadsWrittenToTargetDestination")
		r.waitForCondition("work/"+of[:1], "Ready", "True AllWorkplacementsScheduled")
	}
	r.waitForArtifact("fleet", "worker-1", file1)
	r.waitForArtifact("docker", "worker-2", file2)

	changed := work("a", on("1"), "one")
	changed.Spec.WorkloadGroups[0].Workloads[0].Content = work("a", on("1"), "three").Spec.WorkloadGroups[0].Workloads[0].Content
	r.object(changed)
	r.eventually("the change", func() string {
		if got := r.content("fleet", "worker-1", file1); !strings.Contains(got, "three") {
			return "the file has " + got
		}
		return ""
	})
	r.object(work("c", on("1"), "three"))
	r.waitForCondition("work/c", "ConflictFree", "False DuplicateResources")
	r.kubectl("delete", "work/a", "--timeout=40s")
	r.waitForArtifact("fleet", "worker-1", "worker-1/resources/default/redis/c/instance/5058f/three.yaml")
	r.waitForCondition("work/c", "ConflictFree", "True NoConflict")

	before := r.artifact("fleet", "worker-1").Revision
	r.object(work("d", on("2"), "four"))
	r.waitForCondition("work/d", "Ready", "True AllWorkplacementsScheduled")
	if now := r.artifact("fleet", "worker-1").Revision; now != before {
		t.Error("a change to another Destination has pushed an artifact of worker-1")
	}

	printed, err := output(exec.Command(program, "agent", "flux", "worker-1", "--kube", "--kubeconfig", r.admin, "--no-events"))
	if must(t, err); !strings.Contains(printed, "kind: OCIRepository") || !strings.Contains(printed, "url: oci://"+r.host+"/fleet/worker-1") {
		t.Errorf("for Flux it prints\n%s", printed)
	}

	r.kubectl("delete", "destination/worker-1", "destination/worker-2", "--timeout=60s")
	if files := r.artifact("fleet", "worker-1").Files; files.Len() > 0 {
		t.Errorf("of a Destination that is gone there are still %d files", files.Len())
	}
	r.waitForArtifact("docker", "worker-2", file2, "worker-2/resources/default/redis/d/instance/5058f/four.yaml")
	if said := r.get("events", "{.items[*].message}"); strings.Contains(said, ocitest.Password) {
		t.Error("an event has the password")
	}
}

func TestPromotionToRegistry(t *testing.T) {
	t.Parallel()
	p := newPromotion(t, kratixlike.Options{})
	r := p.registry()
	r.store("fleet", map[string]string{"username": ocitest.Username, "password": ocitest.Password})
	p.addDestination("worker-1", "all", nil, "OCIStateStore/fleet")
	p.promote()
	p.object(work("a", nil, "one"))
	p.waitForPromotion("a")
	const dir = "worker-1/resources/default/redis/"
	r.waitForArtifact("fleet", "worker-1", dir+"a/instance/5058f/one.yaml")
	p.waitForStagedFile(dir + "a/instance/5058f/one.yaml")
	p.object(work("b", nil, "one"))
	p.waitForCondition("workplacement/b.worker-1-5058f", "Promoted", "False DuplicateResources")
	p.object(work("a", nil, "three"))
	p.waitForPromotion("b")
	r.waitForArtifact("fleet", "worker-1", dir+"a/instance/5058f/three.yaml", dir+"b/instance/5058f/one.yaml")
	p.kubectl("delete", "work/a", "--timeout=40s")
	r.waitForArtifact("fleet", "worker-1", dir+"b/instance/5058f/one.yaml")
	p.kubectl("delete", "destination/worker-1", "--timeout=60s")
	if files := r.artifact("fleet", "worker-1").Files; files.Len() > 0 {
		t.Errorf("of a Destination that is gone there are still %d files", files.Len())
	}
}
