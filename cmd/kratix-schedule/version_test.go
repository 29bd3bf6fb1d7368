package main

import (
	"runtime/debug"
	"testing"
)

func TestVersionFromBuild(t *testing.T) {
	settings := []debug.BuildSetting{{Key: "vcs.revision", Value: "c2"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "GOOS", Value: "linux"}}
	for name, c := range map[string]struct {
		set  versionInfo
		info *debug.BuildInfo
		want versionInfo
	}{
		"release":         {versionInfo{Version: "v1.2.3", Commit: "c1", Date: "d1"}, &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: settings}, versionInfo{Version: "v1.2.3", Commit: "c1", Date: "d1"}},
		"go install":      {versionInfo{Version: "dev"}, &debug.BuildInfo{Main: debug.Module{Version: "v1.2.3"}}, versionInfo{Version: "v1.2.3"}},
		"checkout":        {versionInfo{Version: "dev"}, &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}, Settings: settings}, versionInfo{Version: "dev", Commit: "c2", Date: "2026-01-02T03:04:05Z"}},
		"without modules": {versionInfo{Version: "dev"}, nil, versionInfo{Version: "dev"}},
	} {
		if got := c.set.fromBuild(c.info); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
