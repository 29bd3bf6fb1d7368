package receive_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kratix-schedule/kratix-schedule/internal/agent"
)

func FuzzReceive(f *testing.F) {
	good := flux(now, "worker-1", "Health check passed in 1s")
	f.Add(false, true, good, "", "")
	f.Add(false, false, good, signed(good, secret)["X-Signature"], "")
	f.Add(true, false, argo(now), "", "Bearer "+secret)
	f.Add(true, true, argo(now), "", "")
	f.Add(true, false, "{}", "sha256=", "Bearer ")
	f.Fuzz(func(t *testing.T, toArgo, sign bool, body, signature, authorization string) {
		e := newEnv()
		headers := map[string]string{"X-Signature": signature, "Authorization": authorization}
		if sign {
			headers["X-Signature"] = signed(body, secret)["X-Signature"]
		}
		path := agent.FluxPath
		if toArgo {
			path = agent.ArgoCDPath
		}
		status, text := e.post(path, body, headers)
		known := []int{http.StatusAccepted, http.StatusBadRequest, http.StatusUnauthorized, http.StatusNotFound, http.StatusRequestEntityTooLarge}
		if !slices.Contains(known, status) {
			t.Errorf("status %d", status)
		}
		for _, r := range text {
			if unicode.IsControl(r) {
				t.Errorf("text %q", text)
			}
		}
		authorized := strings.EqualFold(headers["X-Signature"], signed(body, secret)["X-Signature"]) || toArgo && strings.Contains(authorization, secret)
		if !authorized && (status != http.StatusUnauthorized && status != http.StatusRequestEntityTooLarge || len(e.inbox.States()) > 0) {
			t.Errorf("status %d without the secret", status)
		}
		if len(e.received)+len(e.rejected) != 1 || len(e.inbox.States()) > 1 {
			t.Errorf("counted %v, %v", e.received, e.rejected)
		}
	})
}
