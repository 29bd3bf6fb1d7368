// Package testkit builds the objects and files that the tests of several packages need, and
// skips slow tests. It does no I/O.
//
// A builder returns a plain object with the values that most tests need; options, or assignments to
// its fields, set the rest:
//
//	work := testkit.Request("cache", testkit.WithConfigMaps("settings"))
//	work.Generation = 2
//	placement := testkit.Placement(work, "worker-1")
package testkit

import "testing"

// Slow skips a test that takes many seconds or starts a server, if the tests run with -short, as in
// `make test`. `make test-all` and CI run all tests.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: make test-all runs it")
	}
}
