package bucket_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestVersionsAreTheHistory(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	for _, versioned := range []bool{true, false} {
		t.Run(fmt.Sprintf("versioned %t", versioned), func(t *testing.T) {
			config := configOf(t, server)
			config.Path, config.Cache = "some/prefix", 1
			if versioned {
				if err := server.Client.EnableVersioning(t.Context(), config.Bucket); err != nil {
					t.Fatal(err)
				}
			}
			store := open(t, config)
			var revisions []statestore.Revision
			for _, step := range []struct{ write, remove string }{{"first", ""}, {"second", ""}, {"", "a"}, {"third", ""}} {
				write := map[string]string{}
				if step.write != "" {
					write["a"] = step.write
				}
				var remove []string
				if step.remove != "" {
					remove = []string{step.remove}
				}
				revisions = append(revisions, storetest.Write(t, store, write, remove...))
				time.Sleep(10 * time.Millisecond) // times are in milliseconds
			}
			log, err := store.Log(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			if !versioned {
				if len(log.Entries) != 1 || len(log.Warnings) != 1 || !strings.Contains(log.Warnings[0], "no versions") {
					t.Errorf("%+v", log)
				}
				return
			}
			if len(log.Entries) != 4 || len(log.Warnings) > 0 {
				t.Fatalf("%+v", log)
			}
			for _, entry := range log.Entries {
				if len(entry.Files) != 1 || entry.Files[0].String() != "a" || entry.Time.IsZero() {
					t.Errorf("%+v", entry)
				}
			}
			for i, want := range []string{"first", "second", "", "third"} {
				got, exists, err := store.FileAt(t.Context(), revisions[i], testkit.Path("a"))
				if err != nil || exists != (want != "") || string(got) != want {
					t.Errorf("revision %d: %q, %t, %v", i, got, exists, err)
				}
			}
			if _, exists, err := store.FileAt(t.Context(), revisions[0], testkit.Path("other")); exists || err != nil {
				t.Errorf("%t, %v", exists, err)
			}
			if _, _, err := store.FileAt(t.Context(), "none", testkit.Path("a")); !errors.Is(err, statestore.ErrUnknownRevision) {
				t.Error(err)
			}
		})
	}
}

func TestLargeVersionsAreNotRead(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	config := configOf(t, server)
	if err := server.Client.EnableVersioning(t.Context(), config.Bucket); err != nil {
		t.Fatal(err)
	}
	store := open(t, config)
	revision := storetest.Write(t, store, map[string]string{"a": strings.Repeat("x", 16<<20+1)})
	if _, _, err := store.FileAt(t.Context(), revision, testkit.Path("a")); err == nil || !strings.Contains(err.Error(), "more than the 16777216") {
		t.Error(err)
	}
}
