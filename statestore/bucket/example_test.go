package bucket_test

import (
	"context"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
)

func ExampleOpen() {
	store, err := bucket.Open(bucket.Config{
		Name: "BucketStateStore default", Endpoint: "s3.eu-west-1.amazonaws.com", Bucket: "state", Path: "clusters",
		Auth: bucket.Auth{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	state, err := store.Read(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	revision, err := store.Apply(ctx, statestore.ChangeSet{Base: state.Revision, Write: testkit.FileList("worker-1/a.yaml", "a: 1\n")})
	fmt.Println(revision, err)
}
