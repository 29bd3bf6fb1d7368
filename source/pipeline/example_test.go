package pipeline_test

import (
	"fmt"
	"testing/fstest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/source/pipeline"
)

func ExampleRead() {
	dirs := fstest.MapFS{
		"input/object.yaml":                   {Data: []byte("apiVersion: example.com/v1\nkind: Redis\nmetadata: {name: cache, namespace: team}\n")},
		"output/redis.yaml":                   {Data: []byte("kind: Redis\n")},
		"output/dashboards/board.yaml":        {Data: []byte("kind: ConfigMap\n")},
		"metadata/destination-selectors.yaml": {Data: []byte("- directory: dashboards\n  matchLabels: {role: monitoring}\n")},
	}
	work, err := pipeline.Read(dirs, pipeline.Options{Promise: "redis", Pipeline: "instance", Type: kratix.ResourceWorkType})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(work.Namespace, work.Owner())
	for _, group := range work.Spec.WorkloadGroups {
		fmt.Println(group.Directory, group.Workloads[0].Filepath, group.DestinationSelectors)
	}
	// Output:
	// team request team/cache of Promise redis
	// dashboards dashboards/board.yaml [{map[role:monitoring] [] resource-workflow}]
	// . redis.yaml []
}
