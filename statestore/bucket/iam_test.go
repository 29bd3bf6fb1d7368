package bucket_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

type issuer struct {
	t      *testing.T
	server *buckettest.Server
	life   time.Duration

	mu     sync.Mutex
	until  map[string]time.Time // when the credentials expire, by access key
	late   bool                 // whether the second credentials were requested too late
	broken bool
}

func (i *issuer) issue(w http.ResponseWriter) (credentials.Value, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.broken {
		http.Error(w, "no credentials now", http.StatusServiceUnavailable)
		return credentials.Value{}, false
	}
	for _, until := range i.until {
		i.late = i.late || len(i.until) == 1 && time.Now().After(until)
	}
	value := temporary(i.t, i.server, []string{"s3:*"})
	value.Expiration = time.Now().Add(i.life).Truncate(time.Millisecond)
	i.until[value.AccessKeyID] = value.Expiration
	return value, true
}

func (i *issuer) issued() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.until)
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for key, want := range map[string]string{
		"Action": "AssumeRoleWithWebIdentity", "RoleArn": "arn:aws:iam::1:role/writer", "RoleSessionName": "site-a", "WebIdentityToken": "a-token",
	} {
		if got := r.FormValue(key); got != want {
			i.t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if value, ok := i.issue(w); ok {
		_, _ = fmt.Fprintf(w, `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>`+
			`<AccessKeyId>%s</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken><Expiration>%s</Expiration>`+
			`</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
			value.AccessKeyID, value.SecretAccessKey, value.SessionToken, value.Expiration.UTC().Format(time.RFC3339Nano))
	}
}

func (i *issuer) instance() http.Handler {
	const session = "a-session"
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-aws-ec2-metadata-token-ttl-seconds") == "" {
			http.Error(w, "no lifetime", http.StatusBadRequest)
		}
		_, _ = fmt.Fprint(w, session)
	})
	guarded := func(serve http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("X-aws-ec2-metadata-token") != session {
				http.Error(w, "no token", http.StatusUnauthorized)
				return
			}
			serve(w, r)
		}
	}
	const roles = "GET /latest/meta-data/iam/security-credentials/"
	mux.HandleFunc(roles+"{$}", guarded(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "writer") }))
	mux.HandleFunc(roles+"writer", guarded(func(w http.ResponseWriter, _ *http.Request) {
		if value, ok := i.issue(w); ok {
			_ = json.NewEncoder(w).Encode(map[string]any{
				"Code": "Success", "AccessKeyId": value.AccessKeyID, "SecretAccessKey": value.SecretAccessKey, "Token": value.SessionToken, "Expiration": value.Expiration,
			})
		}
	}))
	return mux
}

func TestIAM(t *testing.T) {
	server := buckettest.MinIO(t)
	for name, prepare := range map[string]func(*testing.T, *issuer){"web identity": byWebIdentity, "instance metadata": byInstance} {
		t.Run(name, func(t *testing.T) {
			issuer := &issuer{t: t, server: server, life: 3 * time.Second, until: map[string]time.Time{}}
			store := openAs(t, issuer, prepare)
			for i := 0; issuer.issued() < 2; i++ {
				storetest.Write(t, store, map[string]string{"a": strconv.Itoa(i)})
			}
			if issuer.late {
				t.Error("the first credentials were used until they had run out")
			}
		})
	}
}

func openAs(t *testing.T, i *issuer, prepare func(*testing.T, *issuer)) *bucket.Store {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	prepare(t, i)
	config, proxy := behindProxy(t, configOf(t, i.server))
	config.Auth = bucket.Auth{IAM: true}
	proxy.Between(i.onlyValid)
	return open(t, config)
}

func byWebIdentity(t *testing.T, i *issuer) {
	t.Setenv("AWS_ENDPOINT_URL_STS", serve(t, i))
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", token)
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/writer")
	t.Setenv("AWS_ROLE_SESSION_NAME", "site-a")
}

func byInstance(t *testing.T, i *issuer) {
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", serve(t, i.instance()))
}

func TestCredentialsOutliveTheirSource(t *testing.T) {
	issuer := &issuer{t: t, server: buckettest.MinIO(t), life: 7 * time.Second, until: map[string]time.Time{}}
	store := openAs(t, issuer, byInstance)
	storetest.Write(t, store, map[string]string{"a": "1"})
	until := issuer.fail()
	for {
		_, err := store.Read(t.Context())
		if err == nil {
			continue
		}
		if early := time.Until(until); early > time.Second {
			t.Errorf("it fails %s before the credentials run out", early)
		}
		expect(t, map[string]error{"read": err}, statestore.ErrDenied, "there are no credentials: 503", "authMethod IAM")
		return
	}
}

func (i *issuer) fail() (until time.Time) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.broken = true
	for _, u := range i.until {
		if u.After(until) {
			until = u
		}
	}
	return until
}

func (i *issuer) onlyValid(next http.Handler, w http.ResponseWriter, r *http.Request) {
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(rest, "/")
	i.mu.Lock()
	until, issued := i.until[key]
	i.mu.Unlock()
	if !issued || time.Now().After(until) {
		buckettest.Fail(w, http.StatusBadRequest, "ExpiredToken", "The provided token has expired.")
		return
	}
	next.ServeHTTP(w, r)
}

func serve(t *testing.T, handler http.Handler) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}
