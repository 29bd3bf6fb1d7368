package source_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kratix-schedule/kratix-schedule/source"
)

func TestOtherVersionsAndSpellingsAreRejected(t *testing.T) {
	const beta, only = "apiVersion: platform.kratix.io/v1beta1\n", "cannot be read: only platform.kratix.io/v1alpha1 is supported"
	for name, test := range map[string]struct {
		content string
		want    content
	}{
		"a Work of another version keeps its placements": {
			beta + "kind: Work\nmetadata: {name: w, namespace: team}\n",
			content{
				Findings: []string{"UnsupportedVersion Work team/w, a.yaml:1: Work of platform.kratix.io/v1beta1 " + only},
				Rejected: []string{"team/w"},
			},
		},
		"its namespace is default": {
			beta + "kind: Work\nmetadata: {name: w}\n",
			content{
				Findings: []string{"UnsupportedVersion Work w, a.yaml:1: Work of platform.kratix.io/v1beta1 " + only},
				Rejected: []string{"default/w"},
			},
		},
		"a Work without a name leaves the snapshot incomplete": {
			beta + "kind: Work\n",
			content{
				Findings:   []string{"UnsupportedVersion Work , a.yaml:1: Work of platform.kratix.io/v1beta1 " + only},
				Incomplete: true,
			},
		},
		"a Destination of another version has requests wait": {
			beta + "kind: Destination\nmetadata: {name: d}\n",
			content{
				Findings: []string{"UnsupportedVersion Destination d, a.yaml:1: Destination of platform.kratix.io/v1beta1 " + only},
				Unseen:   true,
			},
		},
		"a kind that is not known in another version": {
			beta + "kind: Fleet\nmetadata: {name: f}\n",
			content{Findings: []string{"UnsupportedVersion Fleet f, a.yaml:1: Fleet of platform.kratix.io/v1beta1 " + only}},
		},
		"a group without a version": {
			"apiVersion: platform.kratix.io\nkind: Work\nmetadata: {name: w}\n",
			content{
				Findings: []string{"UnsupportedVersion Work w, a.yaml:1: Work of platform.kratix.io " + only},
				Rejected: []string{"default/w"},
			},
		},
		"a kind in the wrong case": {
			platform + "kind: work\nmetadata: {name: w}\n",
			content{
				Findings: []string{"InvalidObject work w, a.yaml:1: the kind work is not known; did you mean Work?"},
				Rejected: []string{"default/w"},
			},
		},
		"an item of a List": {
			"apiVersion: v1\nkind: List\nitems:\n- {apiVersion: platform.kratix.io/v2, kind: Work, metadata: {name: w}}\n",
			content{
				Findings: []string{"UnsupportedVersion Work w, a.yaml:4: Work of platform.kratix.io/v2 " + only},
				Rejected: []string{"default/w"},
			},
		},
		"a kind of Kratix that takes no part": {
			platform + "kind: PromiseRelease\nmetadata: {name: r}\n",
			content{Findings: []string{"IgnoredObject PromiseRelease r, a.yaml:1: PromiseRelease of platform.kratix.io/v1alpha1 is ignored"}},
		},
		"a Work of another group": {
			"apiVersion: work.karmada.io/v1alpha1\nkind: Work\nmetadata: {name: w}\n",
			content{Findings: []string{"IgnoredObject Work w, a.yaml:1: Work of work.karmada.io/v1alpha1 is ignored"}},
		},
		"a bucket whose name no server takes stays a store": {
			platform + "kind: BucketStateStore\nmetadata: {name: b}\nspec: {bucketName: My Bucket, endpoint: e}\n",
			content{
				Objects:  []string{"BucketStateStore b < BucketStateStore b, a.yaml:1"},
				Findings: []string{`InvalidObject BucketStateStore b, a.yaml:1: spec.bucketName "My Bucket" is not a bucket name; use 3 to 63 lower-case letters, digits and hyphens`},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, contentOf(source.Collect(files("a.yaml", test.content)))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
