package dedupe_test

import (
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func root() dedupe.Root {
	claim := func(name string, created int64) dedupe.Claim {
		dir := testkit.Path("worker-1/resources/" + name)
		file := tree.File{Path: dir.Join(testkit.Path("settings.yaml")), Content: []byte(testkit.ConfigMaps("settings"))}
		return dedupe.Claim{
			Object: "Work default/" + name, Owner: "request default/" + name, Dir: dir,
			Wanted: []dedupe.File{{File: file, Place: finding.Place{Object: "Work default/" + name, File: "settings.yaml"}}},
			Rank:   dedupe.Rank{Created: time.Unix(created, 0), Name: name},
		}
	}
	return dedupe.Root{Path: testkit.Path("worker-1/resources"), Claims: []dedupe.Claim{claim("second", 2), claim("first", 1)}}
}

func ExampleCheck() {
	root := root()
	verdict := dedupe.Check(root)
	for i, claim := range root.Claims {
		if reason, held := verdict.Quarantined[i]; held {
			fmt.Println(claim.Object, "is held back:", reason)
		} else {
			fmt.Println(claim.Object, "is written")
		}
	}
	for _, f := range verdict.Findings {
		fmt.Println(f.Rule.ID, f.Place, f.Message)
		fmt.Println(f.Flux)
	}
	// Output:
	// Work default/second is held back: one of its objects is in worker-1/resources already
	// Work default/first is written
	// KS001 Work default/second, settings.yaml:1 ConfigMap default/settings is in worker-1/resources already
	// kustomize build failed: accumulating resources: accumulation err='merging resources from './second/settings.yaml': may not add resource with an already registered id: ConfigMap.v1.[noGrp]/settings.[noNs]': must build at directory: '/worker-1/resources/second/settings.yaml': file is not directory
}

// With the policy Share equal objects are written once.
func ExampleCheck_share() {
	root := root()
	root.Policy = dedupe.Share
	verdict := dedupe.Check(root)
	fmt.Println(len(verdict.Quarantined), "held back")
	for i, files := range verdict.Files {
		fmt.Println(root.Claims[i].Object, "writes", len(files), "files and shares", verdict.Shared[i][0].Object)
	}
	// Output:
	// 0 held back
	// Work default/second writes 0 files and shares ConfigMap default/settings
}
