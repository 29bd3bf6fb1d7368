package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
)

func TestBucketScripts(t *testing.T) {
	tutorial, err := filepath.Abs("../../testdata/elastic-cloud")
	if err != nil {
		t.Fatal(err)
	}
	server := buckettest.MinIO(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/bucket",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    exits,
			"envsubst": envsubst,
			"keys":     func(ts *testscript.TestScript, _ bool, args []string) { keys(ts, server, args[0]) },
			"versioning": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(server.Client.EnableVersioning(context.Background(), args[0]))
			},
			"version": func(ts *testscript.TestScript, _ bool, args []string) {
				isVersion(ts, server, args[0], args[1], args[2])
			},
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("TUTORIAL", tutorial)
			env.Setenv("ENDPOINT", server.Endpoint)
			env.Setenv("BUCKET", server.Bucket(t))
			env.Setenv("ACCESS_KEY", buckettest.AccessKey)
			env.Setenv("SECRET_KEY", buckettest.SecretKey)
			return nil
		},
	})
}

func keys(ts *testscript.TestScript, server *buckettest.Server, bucket string) {
	count := 0
	for object := range server.Client.ListObjectsIter(context.Background(), bucket, minio.ListObjectsOptions{Recursive: true}) {
		ts.Check(object.Err)
		count++
		_, _ = fmt.Fprintln(ts.Stdout(), object.Key)
	}
	_, _ = fmt.Fprintln(ts.Stdout(), count, "keys")
}

func isVersion(ts *testscript.TestScript, server *buckettest.Server, bucket, key, file string) {
	info, err := server.Client.StatObject(context.Background(), bucket, key, minio.StatObjectOptions{})
	ts.Check(err)
	if info.VersionID == "" || !strings.Contains(ts.ReadFile(file), " at "+info.VersionID+"\n") {
		ts.Fatalf("%s is at version %q, which %s does not name", key, info.VersionID, file)
	}
}

func envsubst(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}
