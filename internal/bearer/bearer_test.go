package bearer_test

import (
	"net/http"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/bearer"
)

func TestOnlyTheWholeTokenMatches(t *testing.T) {
	for header, want := range map[string]bool{
		"Bearer abc": true, "bearer abc": true, "Bearer  abc ": true,
		"": false, "abc": false, "Bearer": false, "Bearer ": false, "Bearer ab": false, "Bearer abcd": false, "Bearer ABC": false, "Basic abc": false,
	} {
		if got := bearer.Matches(&http.Request{Header: http.Header{"Authorization": {header}}}, "abc"); got != want {
			t.Errorf("%q: %t", header, got)
		}
	}
}
