package dir_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

func excluding(t *testing.T, patterns ...string) []dir.Exclusion {
	t.Helper()
	var exclusions []dir.Exclusion
	for _, pattern := range patterns {
		exclusion, err := dir.ParseExclusion(pattern)
		if err != nil {
			t.Fatal(err)
		}
		exclusions = append(exclusions, exclusion)
	}
	return exclusions
}

func TestExcludedFilesAreNotRead(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"a", "values", "charts/b", "charts/values", "charts/deep/c", "team/charts/d"} {
		write(t, filepath.Join(root, name+".yaml"), testkit.WorkYAML(filepath.Base(filepath.Dir("x/"+name))+"-"+filepath.Base(name)))
	}
	all := []string{"charts-b", "charts-d", "charts-values", "deep-c", "x-a", "x-values"}
	for name, tt := range map[string]struct {
		patterns []string
		want     []string
		excluded int
	}{
		"nothing":                          {nil, all, 0},
		"a name at any depth":              {[]string{"values.yaml"}, []string{"charts-b", "charts-d", "deep-c", "x-a"}, 2},
		"a directory at any depth":         {[]string{"charts"}, []string{"x-a", "x-values"}, 2},
		"a directory with its slash":       {[]string{"charts/"}, []string{"x-a", "x-values"}, 2},
		"a directory of the input":         {[]string{"/charts"}, []string{"charts-d", "x-a", "x-values"}, 1},
		"the same in another spelling":     {[]string{"./charts"}, []string{"charts-d", "x-a", "x-values"}, 1},
		"a path of the input":              {[]string{"charts/values.yaml"}, []string{"charts-b", "charts-d", "deep-c", "x-a", "x-values"}, 1},
		"files of a directory":             {[]string{"charts/*.yaml"}, []string{"charts-d", "deep-c", "x-a", "x-values"}, 2},
		"everything below a directory":     {[]string{"charts/**"}, []string{"charts-d", "x-a", "x-values"}, 1},
		"a path below any directory":       {[]string{"**/charts/d.yaml"}, []string{"charts-b", "charts-values", "deep-c", "x-a", "x-values"}, 1},
		"several patterns":                 {[]string{"values.yaml", "deep"}, []string{"charts-b", "charts-d", "x-a"}, 3},
		"a pattern that is not about them": {[]string{"other/*"}, all, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := &dir.Source{Paths: []string{root}, Recursive: true, Exclude: excluding(t, tt.patterns...)}
			expectWorks(t, s, tt.want...)
			if got := s.Tally(); got.Excluded != tt.excluded || got.Files != len(tt.want) {
				t.Errorf("Tally: %+v, want %d excluded and %d files", got, tt.excluded, len(tt.want))
			}
		})
	}
}

func TestInvalidPatterns(t *testing.T) {
	for _, pattern := range []string{"", "/", "[", "a/[b", "../x", "a/../b", "a//b", `a\`} {
		if _, err := dir.ParseExclusion(pattern); !errors.Is(err, dir.ErrExclusion) {
			t.Errorf("ParseExclusion(%q): %v", pattern, err)
		}
	}
}

func TestUnreadDirectoriesAreOneFinding(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	write(t, filepath.Join(one, "a.yaml"), testkit.WorkYAML("a"))
	write(t, filepath.Join(one, "x", "x.yaml"), testkit.WorkYAML("x"))
	write(t, filepath.Join(one, "left-out", "x.yaml"), testkit.WorkYAML("y"))
	write(t, filepath.Join(one, ".git", "x.yaml"), testkit.WorkYAML("z"))
	write(t, filepath.Join(two, "b.yaml"), testkit.WorkYAML("b"))
	write(t, filepath.Join(two, "y", "x.yaml"), testkit.WorkYAML("x"))
	write(t, filepath.Join(two, "z", "x.yaml"), testkit.WorkYAML("x"))
	for name, tt := range map[string]struct {
		source  *dir.Source
		message string
		unread  int
	}{
		"one":                    {&dir.Source{Paths: []string{one}, Exclude: excluding(t, "left-out")}, "1 sub-directory is not read without -R", 1},
		"two":                    {&dir.Source{Paths: []string{two}}, "2 sub-directories are not read without -R", 2},
		"below several inputs":   {&dir.Source{Paths: []string{one, two}}, "4 sub-directories of 2 directories are not read without -R", 4},
		"an input itself is not": {&dir.Source{Paths: []string{two, filepath.Join(two, "y"), filepath.Join(two, "z")}}, "", 0},
		"read with -R":           {&dir.Source{Paths: []string{two}, Recursive: true}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			for range 2 {
				snapshot, err := tt.source.Snapshot(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				message := ""
				for _, f := range snapshot.Findings {
					if f.Rule.ID == "KS032" {
						message += f.Message
					}
				}
				if got := tt.source.Tally().Unread; message != tt.message || got != tt.unread || snapshot.Incomplete {
					t.Errorf("noted %q for %d, want %q for %d; incomplete: %t", message, got, tt.message, tt.unread, snapshot.Incomplete)
				}
			}
		})
	}
}
