package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
)

func TestEachFixNamesTheFieldToChange(t *testing.T) {
	for hint, about := range diagnosisOfFix {
		if about.Class == statestore.Setting && about.Field == "" {
			t.Errorf("no field to change: %s", hint)
		}
		if !strings.Contains(hint, about.Field) {
			t.Errorf("does not name %s: %s", about.Field, hint)
		}
	}
}

func TestEachFailureHasItsClass(t *testing.T) {
	server := func(code int) error {
		return &statusError{code: code, status: fmt.Sprint(code, " ", http.StatusText(code)), header: http.Header{}}
	}
	for name, c := range map[string]struct {
		err   error
		class statestore.Class
		field string
		again bool
	}{
		"401":                   {server(401), statestore.Setting, "spec.secretRef", false},
		"403":                   {server(403), statestore.Setting, "spec.secretRef", false},
		"404":                   {server(404), statestore.Setting, "spec.url", false},
		"500":                   {server(500), statestore.Server, "", true},
		"429":                   {server(429), statestore.Server, "", true},
		"a missing branch":      {missingBranch{"x", []string{"main"}}, statestore.Setting, "spec.branch", false},
		"a branch in the way":   {blockedBranch{"x", "x/y"}, statestore.Setting, "spec.branch", false},
		"SHA-256":               {objectFormatError{"sha256"}, statestore.Setting, "spec.url", false},
		"a hook":                {refusal{cause: errors.New("x"), status: "pre-receive hook declined"}, statestore.Server, "", false},
		"a moved branch":        {statestore.ErrStale, statestore.Server, "", true},
		"an unknown server":     {unknownHost{host: "h"}, statestore.Setting, "spec.secretRef", false},
		"no such host":          {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "h"}}, statestore.Network, "spec.url", true},
		"a refused connection":  {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, statestore.Network, "spec.url", true},
		"a connection that end": {io.ErrUnexpectedEOF, statestore.Network, "spec.url", true},
		"silence":               {silenceError{time.Minute}, statestore.Network, "spec.url", true},
		"a proxy":               {proxyRefusal{"p", "407"}, statestore.Network, "", true},
		"the context's end":     {context.DeadlineExceeded, statestore.Network, "", true},
		"a full disk":           {spillError{syscall.ENOSPC}, statestore.Machine, "", true},
		"a broken disk":         {spillError{syscall.EIO}, statestore.Machine, "", true},
		"a limit of an app":     {appError{status: 403, wait: time.Minute}, statestore.Server, "", true},
	} {
		s := &Store{name: "GitStateStore default", now: time.Now, branch: newBranch(&remote{credentials: fixed{}, pause: &pause{}})}
		err := s.failure("read", fmt.Errorf("on the way: %w", c.err))
		var told *statestore.Error
		if !errors.As(err, &told) || told.Class != c.class || told.Field != c.field || statestore.IsTemporary(err) != c.again {
			t.Errorf("%s: %v: class %q, field %q, passes %t", name, err, told.Class, told.Field, statestore.IsTemporary(err))
		}
		if !strings.Contains(told.Fix, c.field) {
			t.Errorf("%s: fix %q does not name %s", name, told.Fix, c.field)
		}
		if c.class == statestore.Machine && strings.Contains(told.Fix, "spec.") {
			t.Errorf("%s: fix %q sends to the state store", name, told.Fix)
		}
	}
}
