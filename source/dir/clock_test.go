package dir_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

func TestClockJumpsDoNotHideChanges(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	path := filepath.Join(root, "a.yaml")
	stamp := time.Now().Add(-time.Hour)
	for _, jumps := range [][]time.Duration{{0, 48 * time.Hour, -48 * time.Hour}, {-10 * 365 * 24 * time.Hour, 0}, {10 * 365 * 24 * time.Hour, -time.Hour}} {
		var jump time.Duration
		s := &dir.Source{Paths: []string{root}, Now: func() time.Time { return time.Now().Add(jump) }}
		for i := range 12 {
			jump = jumps[i%len(jumps)]
			name := string(rune('a' + i))
			write(t, path, testkit.WorkYAML(name))
			if err := os.Chtimes(path, stamp, stamp); err != nil {
				t.Fatal(err)
			}
			expectWorks(t, s, name)
			expectWorks(t, s, name)
			time.Sleep(20 * time.Millisecond) // longer than the resolution of file times
		}
	}
}
