// Package testkit builds objects and files for tests, and skips slow tests. It does no I/O.
//
// Options, or assignments to fields, change a new object:
//
//	work := testkit.Request("cache", testkit.WithConfigMaps("settings"))
//	work.Generation = 2
//	placement := testkit.Placement(work, "worker-1")
package testkit

import "testing"

// Slow skips a slow test if the tests run with -short, as in `make test`.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: make test-all runs it")
	}
}
