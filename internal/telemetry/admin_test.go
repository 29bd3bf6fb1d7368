package telemetry

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

func TestLogLevelIsChangedWithTheTokenOnly(t *testing.T) {
	const token = "0123456789abcdef"
	for name, test := range map[string]struct {
		token         func() (string, error)
		authorization string
		code          int
	}{
		"off":                 {nil, "Bearer " + token, http.StatusForbidden},
		"no token":            {tokenFunc(token), "", http.StatusUnauthorized},
		"wrong token":         {tokenFunc(token), "Bearer 0123456789abcdeX", http.StatusUnauthorized},
		"part of the token":   {tokenFunc(token), "Bearer 0123456789abcde", http.StatusUnauthorized},
		"another scheme":      {tokenFunc(token), "Basic " + token, http.StatusUnauthorized},
		"the token alone":     {tokenFunc(token), token, http.StatusUnauthorized},
		"an empty file":       {tokenFunc(""), "Bearer ", http.StatusServiceUnavailable},
		"a file that is gone": {func() (string, error) { return "", errors.New("gone") }, "Bearer " + token, http.StatusServiceUnavailable},
		"the token":           {tokenFunc(token), "Bearer " + token, http.StatusOK},
		"in lower case":       {tokenFunc(token), "bearer " + token, http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			admin := Admin{Level: zap.NewAtomicLevel(), Token: test.token}
			request := httptest.NewRequest(http.MethodPut, "/log-level", strings.NewReader(`{"level":"debug"}`))
			request.Header.Set("Authorization", test.authorization)
			recorder := httptest.NewRecorder()
			(&Server{}).Handler(prometheus.NewRegistry(), admin).ServeHTTP(recorder, request)
			if recorder.Code != test.code {
				t.Errorf("%d %s", recorder.Code, recorder.Body)
			}
			if changed := admin.Level.Level() == zap.DebugLevel; changed != (test.code == http.StatusOK) {
				t.Errorf("the level is %s", admin.Level.Level())
			}
			if test.code != http.StatusOK && (strings.Contains(recorder.Body.String(), token) || !strings.Contains(recorder.Body.String(), "--admin-token-file")) {
				t.Errorf("it says %q", recorder.Body)
			}
		})
	}
}

func tokenFunc(token string) func() (string, error) {
	return func() (string, error) { return token, nil }
}

func TestLogLevelIsReadByAnyone(t *testing.T) {
	_, text := get(t, (&Server{}).Handler(prometheus.NewRegistry(), Admin{Level: zap.NewAtomicLevel()}), "/log-level")
	if !strings.Contains(text, `"info"`) {
		t.Errorf("got %s", text)
	}
}

type endlessJSON struct{ read int }

func (e *endlessJSON) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	if e.read == 0 {
		copy(p, `{"level":"`)
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessBodyIsNotRead(t *testing.T) {
	const token = "0123456789abcdef"
	mux := http.NewServeMux()
	mux.HandleFunc("POST /all", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	})
	mux.Handle("/", (&Server{}).Handler(prometheus.NewRegistry(), Admin{Level: zap.NewAtomicLevel(), Token: tokenFunc(token)}))
	for target, code := range map[string]int{"PUT /log-level": http.StatusBadRequest, "POST /all": http.StatusRequestEntityTooLarge} {
		method, path, _ := strings.Cut(target, " ")
		body := &endlessJSON{}
		request := httptest.NewRequest(method, path, body)
		request.Header.Set("Authorization", "Bearer "+token)
		recorder := httptest.NewRecorder()
		Bounded(mux, nil).ServeHTTP(recorder, request)
		if recorder.Code != code || body.read > 2*MaxBody {
			t.Errorf("%s: %d %s after %d bytes", target, recorder.Code, recorder.Body, body.read)
		}
	}
}
