package bucket_test

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// servers are those that a store has to work on.
var servers = map[string]func(testing.TB) *buckettest.Server{
	"MinIO":     func(t testing.TB) *buckettest.Server { return buckettest.MinIO(t) },
	"versitygw": buckettest.Versitygw,
}

func TestStoreOnMinIO(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture { return fixture(t, configOf(t, server)) })
}

func TestStoreUnderAPrefix(t *testing.T) {
	t.Parallel()
	server := buckettest.MinIO(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		config := configOf(t, server)
		config.Path = "/clusters/prod/"
		return fixture(t, config)
	})
}

func TestStoreOnVersitygw(t *testing.T) {
	t.Parallel()
	server := buckettest.Versitygw(t)
	t.Run("Probe leaves nothing behind", func(t *testing.T) { probe(t, server) })
	storetest.Run(t, func(t *testing.T) storetest.Fixture { return fixture(t, configOf(t, server)) })
}

func fixture(t *testing.T, config bucket.Config) storetest.Fixture {
	return storetest.Fixture{
		Store:  open(t, config),
		Reopen: func() statestore.Store { return open(t, config) },
	}
}

// configOf makes a bucket on a server and says how to reach it.
func configOf(t testing.TB, server *buckettest.Server) bucket.Config {
	t.Helper()
	return config(server.Endpoint, server.Bucket(t))
}

// config is the owner's way to a bucket.
func config(endpoint, name string) bucket.Config {
	return bucket.Config{
		Name: "BucketStateStore default", Endpoint: endpoint, Insecure: true, Bucket: name,
		Auth: bucket.Auth{AccessKeyID: buckettest.AccessKey, SecretAccessKey: buckettest.SecretKey},
	}
}

func open(t testing.TB, config bucket.Config) *bucket.Store {
	t.Helper()
	store, err := bucket.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}
