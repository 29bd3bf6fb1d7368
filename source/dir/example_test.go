package dir_test

import (
	"context"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/source/dir"
)

func ExampleSource() {
	input := &dir.Source{Paths: []string{"../../testdata/elastic-cloud"}}
	snapshot, err := input.Snapshot(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, work := range snapshot.Works {
		fmt.Println(work.Name, "of", work.Owner())
	}
	fmt.Printf("%+v\n", input.Tally())
	// Output:
	// elastic-cloud-example-default-instance-8172a of request default/example of Promise elastic-cloud
	// elastic-cloud-second-request-default-instance-0c208 of request default/second-request of Promise elastic-cloud
	// redis-cache-default-instance-0d2c4 of request default/cache of Promise redis
	// {Files:5 Unread:1 Excluded:0}
}
