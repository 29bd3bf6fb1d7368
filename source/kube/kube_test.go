package kube_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func follow(t *testing.T, a *api) *kube.Source {
	t.Helper()
	return followWith(t, a, kube.Options{})
}

func followWith(t *testing.T, a *api, options kube.Options) *kube.Source {
	t.Helper()
	s, err := kube.New(a.config(), options)
	if err != nil {
		t.Fatal(err)
	}
	s.Follow(t.Context())
	return s
}

func snapshot(t *testing.T, s *kube.Source) source.Snapshot {
	t.Helper()
	got, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func contentOf(s source.Snapshot) []string {
	all := []string{}
	add := func(what string, o kratix.Object) { all = append(all, what+kratix.Describe(o)) }
	for _, o := range s.Works {
		add("", o)
	}
	for _, o := range s.Destinations {
		add("", o)
	}
	for _, o := range s.GitStateStores {
		add("", o)
	}
	for _, o := range s.BucketStateStores {
		add("", o)
	}
	for _, o := range s.Secrets {
		add("", o)
	}
	for _, o := range s.Existing {
		add("existing ", o)
	}
	for _, key := range s.RejectedPlacements {
		all = append(all, "rejected WorkPlacement "+key.String())
	}
	for _, o := range s.Unwritten {
		add("unwritten ", o)
	}
	for _, key := range s.Rejected {
		all = append(all, "rejected "+key.String())
	}
	for _, f := range s.Findings {
		all = append(all, fmt.Sprintf("%s %s: %s", f.Rule.Name, f.Place, f.Message))
	}
	return all
}

func waitForContent(t *testing.T, s *kube.Source, want ...string) {
	t.Helper()
	eventually(t, func() string { return cmp.Diff(want, contentOf(snapshot(t, s))) })
}

func newPlatform(t *testing.T) *api {
	a := newAPI(t)
	a.put("secrets", secretJSON("git", "b25l"))
	a.put("secrets", secretJSON("other", "dHdv"))
	a.put("gitstatestores", storeJSON("git"))
	a.put("destinations", destinationJSON("worker-1", "", ""))
	a.put("works", workJSON("a", ""))
	a.put("workplacements", placementJSON("a", "", ""))
	return a
}

var whole = []string{"Work default/a", "Destination worker-1", "GitStateStore default", "Secret default/git", "existing WorkPlacement default/a"}

func TestSnapshotIsCompleteAndSorted(t *testing.T) {
	a := newPlatform(t)
	a.put("works", workJSON("0", ""))
	a.put("works", workJSON("leaves", `,"deletionTimestamp":"2026-01-31T12:00:00Z","finalizers":["x"]`))
	a.put("bucketstatestores", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"BucketStateStore","metadata":{"name":"s3"},"spec":{"bucketName":"b","endpoint":"e"}}`)
	a.put("workplacements", placementJSON("stray", `,"labels":{}`, ""))
	heldBack := `"conditions":[{"type":"ConflictFree","status":"False"}]`
	a.put("workplacements", placementJSON("held", "", heldBack))
	a.put("workplacements", placementJSON("written", "", heldBack+`,"versionID":"c0ffee"`))
	s := follow(t, a)
	waitForContent(t, s, "Work default/0", "Work default/a", "Destination worker-1", "GitStateStore default", "BucketStateStore s3", "Secret default/git",
		"existing WorkPlacement default/a", "existing WorkPlacement default/held", "existing WorkPlacement default/written")
	objects := s.Objects()
	if len(objects.Works) != 3 || len(objects.WorkPlacements) != 4 || len(objects.Destinations) != 1 || len(objects.GitStateStores) != 1 || len(objects.BucketStateStores) != 1 {
		t.Errorf("objects: %+v", objects)
	}
	for _, p := range objects.WorkPlacements {
		if p.Spec.Workloads != nil {
			t.Errorf("%s holds contents, which its Work has too", p.Name)
		}
	}
}

func TestUnreadableObjectHidesNoOther(t *testing.T) {
	broken := map[string]struct {
		resource, text, repaired string
		want                     []string
	}{
		"a Work": {
			"works", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{"name":"b","namespace":"default"},"spec":{"workloadGroups":"none"}}`,
			workJSON("b", ""),
			append(slices.Clone(whole), "rejected default/b", "UnreadableInput Work default/b: spec.workloadGroups cannot be a string"),
		},
		"a Work that is being deleted": {
			"works", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{"name":"b","namespace":"default","deletionTimestamp":"2026-01-31T12:00:00Z"},"spec":{"workloadGroups":"none"}}`,
			workJSON("b", ""), whole,
		},
		"an invalid Work": {
			"works", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Work","metadata":{"name":"b","namespace":"default"}}`,
			workJSON("b", `,"labels":{"repaired":"yes"}`),
			append(slices.Clone(whole), "rejected default/b", "InvalidObject Work default/b: spec.promiseName is missing"),
		},
		"a WorkPlacement": {
			"workplacements", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"WorkPlacement","metadata":{"name":"x","namespace":"default","labels":{"kratix.io/work":"b"}},"spec":{"targetDestinationName":["worker-1"]}}`,
			placementJSON("x", `,"labels":{}`, ""),
			append(slices.Clone(whole), "rejected WorkPlacement default/x", "rejected default/b", "UnreadableInput WorkPlacement default/x: spec.targetDestinationName cannot be an array"),
		},
		"a Destination": {
			"destinations", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"Destination","metadata":{"name":"worker-2"},"spec":{"strictMatchLabels":"yes"}}`,
			destinationJSON("worker-2", "", ""),
			append(slices.Clone(whole), "unwritten Destination worker-2", "UnreadableInput Destination worker-2: spec.strictMatchLabels cannot be a string"),
		},
		"a state store": {
			"bucketstatestores", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"BucketStateStore","metadata":{"name":"s3"},"spec":7}`,
			`{"apiVersion":"platform.kratix.io/v1alpha1","kind":"BucketStateStore","metadata":{"name":"s3"},"spec":{"bucketName":"b","endpoint":"e"}}`,
			append(slices.Clone(whole), "UnreadableInput BucketStateStore s3: spec cannot be a number"),
		},
	}
	for name, test := range broken {
		for _, when := range []string{"at the start", "later"} {
			t.Run(name+", "+when, func(t *testing.T) {
				t.Parallel()
				a := newPlatform(t)
				if when == "at the start" {
					a.put(test.resource, test.text)
				}
				s := follow(t, a)
				if when == "later" {
					waitForContent(t, s, whole...)
					a.put(test.resource, test.text)
				}
				waitForContent(t, s, test.want...)
				a.put("works", workJSON("z", ""))
				waitForContent(t, s, append([]string{test.want[0], "Work default/z"}, test.want[1:]...)...)
				a.put(test.resource, test.repaired)
				eventually(t, func() string {
					got := snapshot(t, s)
					if len(got.Findings)+len(got.Rejected) > 0 {
						return fmt.Sprint(contentOf(got))
					}
					return ""
				})
			})
		}
	}
}

func TestWorkOfUnreadablePlacementIsNotChanged(t *testing.T) {
	a := newPlatform(t)
	a.put("workplacements", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"WorkPlacement","metadata":{"name":"a","namespace":"default","labels":{"kratix.io/work":"a"}},"spec":{"targetDestinationName":"worker-1","workloads":{}}}`)
	s := follow(t, a)
	waitForContent(t, s, append(slices.Clone(whole[1:4]), "rejected WorkPlacement default/a", "rejected default/a", "UnreadableInput WorkPlacement default/a: spec.workloads cannot be an object")...)
	if got := s.Objects(); !got.Unreadable["WorkPlacement default/a"] || len(got.WorkPlacements) != 1 || got.WorkPlacements[0].Spec.TargetDestinationName != "" {
		t.Errorf("%+v", got)
	}
}

func quiescent(t *testing.T, s *kube.Source) <-chan struct{} {
	t.Helper()
	changes, err := s.Changes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	waitForContent(t, s, whole...)
	const rest = 300 * time.Millisecond
	for {
		select {
		case <-changes:
			snapshot(t, s)
		case <-time.After(rest):
			return changes
		}
	}
}

func expectWord(t *testing.T, changes <-chan struct{}) {
	t.Helper()
	select {
	case <-changes:
	case <-time.After(time.Minute):
		t.Fatal("no round is asked for")
	}
}

func TestEventsThatRequestARound(t *testing.T) {
	ready := func(status string) string { return `"conditions":[{"type":"Ready","status":"` + status + `"}]` }
	noise := map[string]struct{ resource, text string }{
		"the status of a Work":            {"works", strings.TrimSuffix(workJSON("a", ""), "}") + `,"status":{"workPlacements":1}}`},
		"the managed fields of a Work":    {"works", workJSON("a", `,"managedFields":[{"manager":"x"}]`)},
		"a WorkPlacement's status":        {"workplacements", placementJSON("a", "", `"versionID":"c0ffee"`)},
		"a Destination's other condition": {"destinations", destinationJSON("worker-1", "", `"conditions":[{"type":"ConflictFree","status":"True"}]`)},
		"a store's status":                {"gitstatestores", strings.TrimSuffix(storeJSON("git"), "}") + `,"status":{"status":"Ready"}}`},
	}
	news := map[string]struct{ resource, text string }{
		"a new Work":                              {"works", workJSON("b", "")},
		"another generation of a Work":            {"works", workJSON("a", `,"generation":2`)},
		"a Work's label":                          {"works", workJSON("a", `,"labels":{"x":"y"}`)},
		"a Work's annotation":                     {"works", workJSON("a", `,"annotations":{"x":"y"}`)},
		"a Work that was created again":           {"works", workJSON("a", `,"uid":"another"`)},
		"a Work being deleted":                    {"works", workJSON("a", `,"deletionTimestamp":"2026-01-31T12:00:00Z"`)},
		"a Destination's label":                   {"destinations", destinationJSON("worker-1", `,"labels":{"x":"y"}`, "")},
		"a Destination that is ready":             {"destinations", destinationJSON("worker-1", "", ready("True"))},
		"a Destination that is not ready":         {"destinations", destinationJSON("worker-1", "", ready("False"))},
		"a WorkPlacement that is not written":     {"workplacements", placementJSON("a", "", `"conditions":[{"type":"WriteSucceeded","status":"False"}]`)},
		"a state store that leads somewhere else": {"gitstatestores", storeJSON("other")},
	}
	for name, test := range noise {
		t.Run("not "+name, func(t *testing.T) {
			t.Parallel()
			a := newPlatform(t)
			s := follow(t, a)
			changes := quiescent(t, s)
			before := snapshot(t, s)
			version := a.put(test.resource, test.text)
			kind := kinds[test.resource][1]
			key := kratix.Key{Namespace: "default", Name: "a"}
			switch test.resource {
			case "destinations":
				key = kratix.Key{Name: "worker-1"}
			case "gitstatestores":
				key = kratix.Key{Name: "default"}
			}
			s.Await(t.Context(), []kube.Written{{Kind: kind, Key: key, Version: version}})
			select {
			case <-changes:
				t.Error("a round is asked for")
			default:
			}
			if after := snapshot(t, s); after.Works[0] != before.Works[0] || after.Destinations[0] != before.Destinations[0] || after.Existing[0] != before.Existing[0] {
				t.Error("a round would not recognize the objects")
			}
		})
	}
	for name, test := range news {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newPlatform(t)
			changes := quiescent(t, follow(t, a))
			a.put(test.resource, test.text)
			expectWord(t, changes)
		})
	}
	t.Run("a Work that is gone", func(t *testing.T) {
		t.Parallel()
		a := newPlatform(t)
		changes := quiescent(t, follow(t, a))
		a.remove("works", "default/a")
		expectWord(t, changes)
	})
}

func TestContentsOfWorkAreHeldOnce(t *testing.T) {
	a := newPlatform(t)
	a.put("works", workJSON("a", `,"managedFields":[{"manager":"x"}],"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"all of it","mine":"yes"}`))
	s := follow(t, a)
	waitForContent(t, s, whole...)
	if w := s.Objects().Works[0]; w.ManagedFields != nil || len(w.Annotations) != 1 || w.Annotations["mine"] != "yes" {
		t.Errorf("what nobody asks for is held: %+v", w.ObjectMeta)
	}
	version := a.put("works", strings.TrimSuffix(workJSON("a", `,"annotations":{"mine":"yes"}`), "}")+`,"status":{"workPlacements":1}}`)
	s.Await(t.Context(), []kube.Written{{Kind: kratix.WorkKind, Key: kratix.Key{Namespace: "default", Name: "a"}, Version: version}})
	latest, stable := s.Objects().Works[0], snapshot(t, s).Works[0]
	if latest.Status.WorkPlacements != 1 || stable.Status.WorkPlacements != 0 {
		t.Fatalf("latest %+v, stable %+v", latest.Status, stable.Status)
	}
	if &latest.Spec.WorkloadGroups[0] != &stable.Spec.WorkloadGroups[0] {
		t.Error("the contents are held twice")
	}
	version = a.put("works", strings.Replace(workJSON("a", `,"generation":2`), `"a.yaml"`, `"b.yaml"`, 1))
	s.Await(t.Context(), []kube.Written{{Kind: kratix.WorkKind, Key: kratix.Key{Namespace: "default", Name: "a"}, Version: version}})
	if got := snapshot(t, s).Works[0].Spec.WorkloadGroups[0].Workloads[0].Filepath; got != "b.yaml" {
		t.Errorf("the file is still %s", got)
	}
}

func TestDroppedWatchesAreResumed(t *testing.T) {
	change := func(a *api) {
		a.put("works", workJSON("b", ""))
		a.remove("workplacements", "default/a")
		a.remove("works", "default/a")
	}
	for name, interrupt := range map[string]func(*api){
		"a watch that ends is resumed where it ended": func(a *api) {
			a.endWatches()
			change(a)
		},
		"changes while the API was down are read": func(a *api) {
			a.set(func(a *api) { a.down = true })
			a.endWatches()
			change(a)
			a.set(func(a *api) { a.down = false })
		},
		"objects beyond the API history are listed again, and deleted ones are removed": func(a *api) {
			a.set(func(a *api) { a.down = true })
			a.endWatches()
			change(a)
			a.set(func(a *api) { a.forgotten, a.down = a.version, false })
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newPlatform(t)
			s := follow(t, a)
			changes := quiescent(t, s)
			interrupt(a)
			expectWord(t, changes)
			waitForContent(t, s, "Work default/b", "Destination worker-1", "GitStateStore default", "Secret default/git")
		})
	}
	t.Run("an unchanged new list requests no round", func(t *testing.T) {
		t.Parallel()
		a := newPlatform(t)
		s := follow(t, a)
		changes := quiescent(t, s)
		before := snapshot(t, s)
		a.set(func(a *api) { a.forgotten = a.version + 1 })
		a.put("bucketstatestores", `{"apiVersion":"platform.kratix.io/v1alpha1","kind":"BucketStateStore","metadata":{"name":"s3"},"spec":{"bucketName":"b","endpoint":"e"}}`)
		expectWord(t, changes)
		was := a.lists("works")
		a.endWatches()
		eventually(t, func() string {
			if a.lists("works") == was || a.watching("watch works") != 1 {
				return "Works are not listed again"
			}
			return ""
		})
		if after := snapshot(t, s); after.Works[0] != before.Works[0] || after.Existing[0] != before.Existing[0] {
			t.Error("a round would not recognize the objects")
		}
	})
	t.Run("while the API is down the last snapshot counts", func(t *testing.T) {
		t.Parallel()
		a := newPlatform(t)
		s := follow(t, a)
		waitForContent(t, s, whole...)
		a.set(func(a *api) { a.down = true })
		a.endWatches()
		waitForContent(t, s, whole...)
	})
}

func TestAPIErrorsAreReported(t *testing.T) {
	for _, code := range []int{http.StatusForbidden, http.StatusInternalServerError} {
		t.Run(http.StatusText(code), func(t *testing.T) {
			t.Parallel()
			a := newPlatform(t)
			a.set(func(a *api) { a.refused["watch works"], a.refused["list works"] = code, code })
			s := follow(t, a)
			_, err := s.Snapshot(t.Context())
			if err == nil || !strings.Contains(err.Error(), "follow works") || !strings.Contains(err.Error(), "is refused by the test") {
				t.Errorf("got %v", err)
			}
			a.set(func(a *api) { clear(a.refused) })
			eventually(t, func() string {
				if _, err := s.Snapshot(t.Context()); err != nil {
					return err.Error()
				}
				return ""
			})
		})
	}
	t.Run("a cancelled snapshot ends at once", func(t *testing.T) {
		t.Parallel()
		a := newPlatform(t)
		a.set(func(a *api) { a.down = true })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := follow(t, a).Snapshot(ctx); err == nil {
			t.Error("no error")
		}
	})
}

func TestAwaitWaitsForWhatWasWritten(t *testing.T) {
	key := kratix.Key{Namespace: "default", Name: "a"}
	for name, test := range map[string]struct {
		version string
		happen  func(*api)
	}{
		"an object as it was written": {"7", func(a *api) { a.put("works", workJSON("a", "")) }},
		"a later version": {"7", func(a *api) {
			a.put("works", workJSON("other", ""))
			a.put("works", workJSON("a", ""))
		}},
		"a deleted object":                           {"", func(a *api) { a.remove("works", "default/a") }},
		"an object that another process has deleted": {"7", func(a *api) { a.remove("works", "default/a") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newPlatform(t) // the last resource version is 6
			s := follow(t, a)
			waitForContent(t, s, whole...)
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.Await(t.Context(), []kube.Written{{Kind: kratix.WorkKind, Key: key, Version: test.version}, {Kind: "Unknown"}})
			}()
			select {
			case <-done:
				t.Fatal("it has not waited")
			case <-time.After(50 * time.Millisecond):
			}
			test.happen(a)
			select {
			case <-done:
			case <-time.After(25 * time.Second): // less than syncTimeout
				t.Fatal("it does not see what happened")
			}
		})
	}
}
