package dir

import (
	"testing"
	"time"
)

func TestIsOldAt(t *testing.T) {
	read := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	at := func(before time.Duration) int64 { return read.Add(-before).UnixNano() }
	tests := map[string]struct {
		stat
		want bool
	}{
		"changed long ago":                      {stat{modTime: at(time.Hour), inode: inode{changeTime: at(time.Hour)}}, true},
		"changed just now":                      {stat{modTime: at(0)}, false},
		"changed within the file system's step": {stat{modTime: at(racy)}, false},
		"changed in the future":                 {stat{modTime: at(-time.Hour)}, false},
		"its time was set back just now":        {stat{modTime: at(time.Hour), inode: inode{changeTime: at(time.Second)}}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.isOldAt(read); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
	if (stat{modTime: at(time.Hour)}).isOldAt((&Source{}).now()) {
		t.Error("without a clock nothing is old")
	}
}
