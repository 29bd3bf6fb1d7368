package source_test

import (
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/source"
)

func ExampleCollect() {
	snapshot := source.Collect([]source.File{
		{Name: "work.yaml", Content: []byte(`apiVersion: platform.kratix.io/v1alpha1
kind: Work
metadata: {name: cache, namespace: default}
spec: {promiseName: redis, resourceName: cache}
`)},
		{Name: "destination.yaml", Content: []byte(`apiVersion: platform.kratix.io/v1alpha1
kind: Destination
metadata: {name: worker-1}
spec: {path: worker-1, stateStoreRef: {kind: GitStateStore, name: default}, colour: blue}
`)},
	})
	for _, work := range snapshot.Works {
		fmt.Println(work.Owner(), "in", snapshot.Origins.Of(work))
	}
	for _, f := range snapshot.Findings {
		fmt.Println(f.Rule.ID, f.Place, f.Message)
	}
	// Output:
	// request default/cache of Promise redis in Work default/cache, work.yaml:1
	// KS021 Destination worker-1, destination.yaml:4 the field spec.colour is not known and is ignored
}
