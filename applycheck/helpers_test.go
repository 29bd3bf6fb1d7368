package applycheck

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/dedupe"
	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
)

func fileOf(t testing.TB, path, content string) dedupe.File {
	t.Helper()
	p, err := tree.ParsePath(path)
	if err != nil {
		t.Fatal(err)
	}
	return dedupe.File{
		File:  tree.File{Path: p, Content: []byte(strings.TrimPrefix(content, "\n"))},
		Place: finding.Place{Object: "Work default/" + strings.SplitN(path, "/", 3)[1], File: p.Base()},
	}
}

func claimOf(t testing.TB, path, wanted, stored string) dedupe.Claim {
	t.Helper()
	claim := dedupe.Claim{Object: "Work default/" + path, Owner: path}
	if wanted != "" {
		claim.Wanted = []dedupe.File{fileOf(t, path, wanted)}
	}
	if stored != "" {
		claim.Stored = []dedupe.File{fileOf(t, path, stored)}
	}
	return claim
}

func rootOf(t testing.TB, name string, wanted ...string) dedupe.Root {
	t.Helper()
	path, err := tree.ParsePath(name)
	if err != nil {
		t.Fatal(err)
	}
	root := dedupe.Root{Path: path}
	for i, content := range wanted {
		root.Claims = append(root.Claims, claimOf(t, fmt.Sprintf("%s/%d/a.yaml", name, i), content, ""))
	}
	return root
}

func clusterOf(t testing.TB, version string, of *profile.Profile) *Cluster {
	t.Helper()
	cluster, err := NewCluster(version, of)
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

func describe(v Verdict) []string {
	lines := []string{}
	for _, f := range v.Findings {
		lines = append(lines, fmt.Sprintf("%s %s %d: %s", f.Rule.ID, f.Rule.Severity, f.Place.Line, f.Message))
	}
	return lines
}

func checkOne(t testing.TB, version, content string) []string {
	t.Helper()
	return describe(CheckClaims(Input{Cluster: clusterOf(t, version, nil), Roots: []dedupe.Root{rootOf(t, "resources", content)}})[0])
}
