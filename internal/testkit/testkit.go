// Package testkit has what the tests of several packages need. It does no I/O.
package testkit

import "testing"

// Slow skips a test that takes many seconds, or that starts a server, if the tests are run
// with -short, as `make test` does; `make test-all` and CI run all tests.
func Slow(t testing.TB) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long: make test-all runs it")
	}
}
