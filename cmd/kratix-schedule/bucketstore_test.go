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

	"github.com/kratix-schedule/kratix-schedule/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
)

// TestBucketScripts runs the commands on a bucket of a real server.
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

// keys lists a bucket to standard output, and counts: "keys bucket".
func keys(ts *testscript.TestScript, server *buckettest.Server, bucket string) {
	count := 0
	for object := range server.Client.ListObjectsIter(context.Background(), bucket, minio.ListObjectsOptions{Recursive: true}) {
		ts.Check(object.Err)
		count++
		_, _ = fmt.Fprintln(ts.Stdout(), object.Key)
	}
	_, _ = fmt.Fprintln(ts.Stdout(), count, "keys")
}

// isVersion checks that a file names an object's version: "version bucket key
// file".
func isVersion(ts *testscript.TestScript, server *buckettest.Server, bucket, key, file string) {
	info, err := server.Client.StatObject(context.Background(), bucket, key, minio.StatObjectOptions{})
	ts.Check(err)
	if info.VersionID == "" || !strings.Contains(ts.ReadFile(file), " at "+info.VersionID+"\n") {
		ts.Fatalf("%s is at version %q, which %s does not name", key, info.VersionID, file)
	}
}

// envsubst copies a file with the script's variables in their places.
func envsubst(ts *testscript.TestScript, _ bool, args []string) {
	text := os.Expand(ts.ReadFile(args[0]), ts.Getenv)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}

// TestBucketConfig says what is wrong with a BucketStateStore before anything
// is asked of a server.
func TestBucketConfig(t *testing.T) {
	ref := kratix.StateStoreReference{Kind: kratix.BucketStateStoreKind, Name: "default"}
	secret := &kratix.Secret{StringData: map[string]string{
		"accessKeyID": " key\n", "secretAccessKey": "s3cret\n", "region": "eu-west-1", "ca.crt": "PEM",
	}}
	named := kratix.BucketStateStoreSpec{BucketName: "b", Endpoint: "e", SecretRef: &kratix.SecretReference{Name: "keys"}}
	for name, c := range map[string]struct {
		change func(*kratix.BucketStateStoreSpec)
		secret *kratix.Secret
		want   string
	}{
		"complete":             {func(*kratix.BucketStateStoreSpec) {}, secret, ""},
		"IAM without a Secret": {func(s *kratix.BucketStateStoreSpec) { s.AuthMethod, s.SecretRef = "IAM", nil }, nil, ""},
		"another method":       {func(s *kratix.BucketStateStoreSpec) { s.AuthMethod = "iam" }, secret, `authMethod "iam" is not known`},
		"no Secret":            {func(s *kratix.BucketStateStoreSpec) { s.SecretRef = nil }, nil, "it names no Secret"},
		"a missing Secret":     {func(*kratix.BucketStateStoreSpec) {}, nil, "names Secret default/keys, which is not in the input"},
		"an empty Secret":      {func(*kratix.BucketStateStoreSpec) {}, &kratix.Secret{}, "has no key accessKeyID"},
	} {
		store := &kratix.BucketStateStore{Spec: named}
		c.change(&store.Spec)
		config, err := bucketConfig(ref, store, c.secret)
		switch {
		case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", name, err, c.want)
		case name == "complete" && (config.Auth.AccessKeyID != "key" || config.Auth.SecretAccessKey != "s3cret" || config.Region != "eu-west-1" || string(config.CABundle) != "PEM"):
			t.Errorf("%s: the Secret's values were not taken", name)
		}
	}
}

// TestABucketStaysOpenWhileItIsTheSame: what it remembers is worth keeping.
func TestABucketStaysOpenWhileItIsTheSame(t *testing.T) {
	ref := kratix.StateStoreReference{Kind: kratix.BucketStateStoreKind, Name: "default"}
	store := &kratix.BucketStateStore{Spec: kratix.BucketStateStoreSpec{BucketName: "b", Endpoint: "e", AuthMethod: "IAM"}}
	stores := newRealStores(commits{})
	first, err := stores.Open(ref, store, nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := stores.Open(ref, store, nil); err != nil || again != first {
		t.Errorf("opened again: %v", err)
	}
	store.Spec.BucketName = "other"
	if other, err := stores.Open(ref, store, nil); err != nil || other == first {
		t.Errorf("another bucket is the same store: %v", err)
	}
}
