package kube_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source/kube"
)

func TestSnapshotHasDeletedWorks(t *testing.T) {
	a := newPlatform(t)
	a.put("works", workJSON("b", ""))
	a.put("works", workJSON("leaves", `,"deletionTimestamp":"2026-01-31T12:00:00Z","finalizers":["x"]`))
	a.put("workplacements", placementJSON("gone-before", `,"labels":{"kratix.io/work":"gone-before"},"deletionTimestamp":"2026-01-31T12:00:00Z","finalizers":["x"]`, ""))
	s := follow(t, a)
	deleted := func(want ...string) {
		t.Helper()
		eventually(t, func() string {
			got := snapshot(t, s)
			var names []string
			for _, key := range got.Deleted {
				names = append(names, key.Name)
			}
			if !got.FromAPI || !slices.Equal(names, want) || !slices.IsSortedFunc(got.Deleted, kratix.Key.Compare) {
				return fmt.Sprintf("deleted are %q, want %q", names, want)
			}
			return ""
		})
	}
	deleted("gone-before", "leaves")
	a.remove("works", "default/b")
	deleted("b", "gone-before", "leaves")
	a.put("works", workJSON("b", ""))
	deleted("gone-before", "leaves")
}

func TestSnapshotHasDeletedWorkPlacements(t *testing.T) {
	a := newPlatform(t)
	a.put("workplacements", placementJSON("goes", "", ""))
	a.put("workplacements", placementJSON("leaves", `,"deletionTimestamp":"2026-01-31T12:00:00Z","finalizers":["x"]`, ""))
	s := followWith(t, a, kube.Options{Contents: true})
	deleted := func(want ...string) {
		t.Helper()
		eventually(t, func() string {
			var names []string
			for _, key := range snapshot(t, s).DeletedPlacements {
				names = append(names, key.Name)
			}
			if !slices.Equal(names, want) {
				return fmt.Sprintf("deleted are %q, want %q", names, want)
			}
			return ""
		})
	}
	deleted("leaves")
	a.remove("workplacements", "default/goes")
	deleted("goes", "leaves")
	a.put("workplacements", placementJSON("goes", "", ""))
	deleted("leaves")
}
