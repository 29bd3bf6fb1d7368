package history_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/history"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/layout"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

type fixture struct {
	statestore.Store
	destination *kratix.Destination
}

func stores(t *testing.T) map[string]fixture {
	repository := gittest.Bare(t)
	destination := testkit.Destination("worker-1")
	return map[string]fixture{"memory": {memory.New("memory"), destination}, "git": {openGit(t, repository), destination}}
}

func openGit(t *testing.T, repository string) *git.Store {
	t.Helper()
	store, err := git.Open(git.Config{Name: "GitStateStore default", URL: repository, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// write writes the files and the record of a Work, and returns the new revision. contents are pairs
// of a name and a content. Without contents, it removes the files and the record.
func (f fixture) write(t *testing.T, work string, contents ...string) statestore.Revision {
	t.Helper()
	state := storetest.Read(t, f.Store)
	placement := testkit.Placement(testkit.Request(work), f.destination.Name)
	action := statestore.Place
	if history, err := history.Of(t.Context(), f.Store, history.Query{Work: "default/" + work}); err == nil && len(history.Entries) > 0 {
		action = statestore.Update
	}
	changes := statestore.ChangeSet{Base: state.Revision}
	dir := testkit.Path("worker-1/resources/" + work)
	var files []layout.File
	for _, file := range testkit.FileList(contents...) {
		file.Path = dir.Join(file.Path)
		files, changes.Write = append(files, layout.File{File: file}), append(changes.Write, file)
	}
	record, err := layout.NewRecord(f.destination, placement, layout.Rendering{Files: files})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range state.Files.Paths(dir) {
		if !slices.ContainsFunc(files, func(file layout.File) bool { return file.Path == path }) {
			changes.Remove = append(changes.Remove, path)
		}
	}
	if len(contents) > 0 {
		changes.Write = append(changes.Write, record)
	} else {
		action, changes.Remove = statestore.Remove, append(changes.Remove, record.Path)
	}
	slices.SortFunc(changes.Write, func(a, b tree.File) int { return tree.Compare(a.Path, b.Path) })
	changes.Placements = []statestore.PlacementChange{{Action: action, Work: "default/" + work, Destination: f.destination.Name}}
	revision, err := f.Apply(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	return revision
}

func TestHistoryHasTheRevisionsOfOneWork(t *testing.T) {
	for name, f := range stores(t) {
		t.Run(name, func(t *testing.T) {
			first := f.write(t, "db", "a.yaml", "a: 1\n")
			f.write(t, "cache", "a.yaml", "a: 1\n")
			second := f.write(t, "db", "a.yaml", "a: 2\n", "b.yaml", "b: 1\n")
			f.write(t, "cache")
			third := f.write(t, "db")
			for _, named := range []string{"default/db", "db"} {
				got, err := history.Of(t.Context(), f.Store, history.Query{Work: named})
				if err != nil {
					t.Fatal(err)
				}
				if want := []statestore.Revision{third, second, first}; !slices.Equal(revisions(got), want) {
					t.Errorf("%s: %v, want %v", named, revisions(got), want)
				}
				if got.Searched != 5 || got.More || got.Foreign != 0 {
					t.Errorf("%+v", got)
				}
				last := got.Entries[len(got.Entries)-1]
				if last.Subject != "Place default/db on worker-1" || len(last.Changes) != 1 || last.Changes[0].Action != statestore.Place || len(last.Trailers) != 2 {
					t.Errorf("%+v", last)
				}
			}
			if got, err := history.Of(t.Context(), f.Store, history.Query{Work: "db", Limit: 1}); err != nil || len(got.Entries) != 1 || !got.More {
				t.Errorf("%+v, %v", got, err)
			}
			if got, err := history.Of(t.Context(), f.Store, history.Query{Work: "db", Depth: 2}); err != nil || len(got.Entries) != 1 || !got.More || got.Searched != 2 {
				t.Errorf("%+v, %v", got, err)
			}
			for _, query := range []history.Query{{Work: "other"}, {Work: "default/d"}, {Work: "db", Destination: "worker-2"}} {
				if got, err := history.Of(t.Context(), f.Store, query); err != nil || len(got.Entries) != 0 {
					t.Errorf("%+v: %+v, %v", query, got, err)
				}
			}
			if got, err := history.Of(t.Context(), f.Store, history.Query{}); err != nil || len(got.Entries) != 5 {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func revisions(h history.History) []statestore.Revision {
	var all []statestore.Revision
	for _, entry := range h.Entries {
		all = append(all, statestore.Revision(entry.Revision))
	}
	return all
}

func TestDiffHasTheFilesOfOneWork(t *testing.T) {
	for name, f := range stores(t) {
		t.Run(name, func(t *testing.T) {
			first := f.write(t, "db", "a.yaml", "a: 1\n", "gone.yaml", "g: 1\n")
			f.write(t, "cache", "a.yaml", "a: 1\n")
			second := f.write(t, "db", "a.yaml", "a: 2\n", "b.yaml", "")
			third := f.write(t, "db")
			work := history.Selection{Work: "default/db"}
			for _, c := range []struct {
				from, to  statestore.Revision
				selection history.Selection
				want      string
			}{
				{first, second, work, "changed a.yaml, added b.yaml, removed gone.yaml"},
				{"", first, work, "added a.yaml, added gone.yaml"},
				{second, third, work, "removed a.yaml, removed b.yaml"},
				{third, second, work, "added a.yaml, added b.yaml"},
				{first, first, work, ""},
				{first, second, history.Selection{Paths: testkit.Paths("worker-1/resources/cache")}, "added a.yaml"},
				{second, third, history.Selection{}, "removed a.yaml, removed b.yaml"},
			} {
				files, err := history.Files(t.Context(), f.Store, c.from, c.to, c.selection)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, file := range files {
					got = append(got, fmt.Sprint(file.Kind, " ", file.Path.Base()))
				}
				if strings.Join(got, ", ") != c.want {
					t.Errorf("%s..%s %v: %v, want %s", c.from, c.to, c.selection, got, c.want)
				}
				diff, err := history.Diff(t.Context(), f.Store, c.from, c.to, c.selection)
				if err != nil || len(diff.Files) != len(files) || diff.More != 0 {
					t.Errorf("%+v, %v", diff, err)
				}
			}
			diff, err := history.Diff(t.Context(), f.Store, first, second, work)
			if err != nil || string(diff.Files[0].Old) != "a: 1\n" || string(diff.Files[0].New) != "a: 2\n" || diff.Files[1].Old != nil || diff.Files[1].New == nil {
				t.Errorf("%+v, %v", diff, err)
			}
			if _, err := history.Diff(t.Context(), f.Store, first, "0123456789012345678901234567890123456789", work); !errors.Is(err, statestore.ErrUnknownRevision) {
				t.Error(err)
			}
		})
	}
}

func TestCommitThatOmitsWorksIsCompared(t *testing.T) {
	f := stores(t)["git"]
	f.write(t, "zz", "a.yaml", "a: 1\n")
	f.write(t, "zzz", "a.yaml", "a: 1\n")
	state := storetest.Read(t, f.Store)
	changes := statestore.ChangeSet{Base: state.Revision, Write: testkit.FileList("worker-1/resources/zz/a.yaml", "a: 2\n")}
	for i := range 150 {
		changes.Placements = append(changes.Placements, statestore.PlacementChange{Action: statestore.Update, Work: fmt.Sprintf("default/a%03d", i), Destination: "worker-1"})
	}
	changes.Placements = append(changes.Placements, statestore.PlacementChange{Action: statestore.Update, Work: "default/zz", Destination: "worker-1"})
	joint, err := f.Apply(t.Context(), changes)
	if err != nil {
		t.Fatal(err)
	}
	got, err := history.Of(t.Context(), f.Store, history.Query{Work: "default/zz"})
	if err != nil || len(got.Entries) != 2 || got.Entries[0].Revision != string(joint) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := history.Of(t.Context(), f.Store, history.Query{Work: "default/zzz"}); err != nil || len(got.Entries) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSeveralWorksOfOneNameAreAnError(t *testing.T) {
	store := memory.New("memory")
	for _, work := range []string{"a/db", "b/db"} {
		state := storetest.Read(t, store)
		if _, err := store.Apply(t.Context(), statestore.ChangeSet{
			Base: state.Revision, Write: testkit.FileList("f", work), Placements: []statestore.PlacementChange{{Action: statestore.Place, Work: work}},
		}); err != nil {
			t.Fatal(err)
		}
	}
	_, err := history.Of(t.Context(), store, history.Query{Work: "db"})
	if !history.IsAmbiguous(err) || err.Error() != "there are several Works named db: b/db, a/db" {
		t.Error(err)
	}
	if got, err := history.Of(t.Context(), store, history.Query{Work: "a/db"}); err != nil || len(got.Entries) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestForeignCommitsAreCounted(t *testing.T) {
	repository := gittest.Bare(t)
	store := openGit(t, repository)
	gittest.Commit(t, repository, "main", map[string]string{"a": "1"})
	gittest.Commit(t, repository, "main", map[string]string{"a": "2"})
	got, err := history.Of(t.Context(), store, history.Query{Work: "default/db"})
	if err != nil || got.Foreign != 2 || len(got.Entries) != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDiffIsBounded(t *testing.T) {
	store := memory.New("memory")
	contents := map[string]string{"large": strings.Repeat("x", 1<<20+1)}
	for i := range 1200 {
		contents[fmt.Sprintf("n%04d", i)] = "x"
	}
	revision := storetest.Write(t, store, contents)
	diff, err := history.Diff(t.Context(), store, "", revision, history.Selection{})
	if err != nil || len(diff.Files) != 1000 || diff.More != 201 {
		t.Errorf("%d files, %d more, %v", len(diff.Files), diff.More, err)
	}
	if large := diff.Files[0]; large.Path != "large" || large.Withheld == "" || len(large.New) != 0 || large.Old != nil {
		t.Errorf("%.100v", large)
	}
}

func TestStoreWithoutLogIsAnError(t *testing.T) {
	if _, err := history.Of(t.Context(), struct{ statestore.Store }{memory.New("memory")}, history.Query{}); !errors.Is(err, statestore.ErrNoLog) {
		t.Error(err)
	}
}
