package bucket_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func errorsOfAllOperations(t *testing.T, config bucket.Config) map[string]error {
	t.Helper()
	store := open(t, config)
	_, read := store.Read(t.Context())
	_, write := store.Apply(t.Context(), statestore.ChangeSet{Write: testkit.Files(map[string]string{"a": "1"})})
	return map[string]error{"read": read, "write": write, "probe": store.Probe(t.Context())}
}

func expect(t *testing.T, found map[string]error, kind error, message, hint string) {
	t.Helper()
	for op, err := range found {
		told := wantError(t, err, kind)
		if told.Op != op && op != "" {
			t.Errorf("%s: op %q", op, told.Op)
		}
		if !strings.Contains(told.Error(), message) || !strings.Contains(told.Fix, hint) {
			t.Errorf("%s: %v (fix %q), want the words %q and %q", op, err, told.Fix, message, hint)
		}
	}
}

func TestInvalidSettingsAreMisconfigured(t *testing.T) {
	server := buckettest.MinIO(t, "MINIO_SITE_REGION=eu-test-1")
	gateway := buckettest.Versitygw(t)
	config := configOf(t, server)

	t.Run("no such bucket", func(t *testing.T) {
		for _, region := range []string{"", "eu-test-1"} {
			wrong := config
			wrong.Bucket, wrong.Region = "nobody-made-this", region
			expect(t, errorsOfAllOperations(t, wrong), statestore.ErrMisconfigured, "NoSuchBucket", "create the bucket")
		}
	})
	t.Run("another region", func(t *testing.T) {
		wrong := config
		wrong.Region = "us-east-1"
		expect(t, errorsOfAllOperations(t, wrong), statestore.ErrMisconfigured, "AuthorizationHeaderMalformed", "it is in eu-test-1; correct key region")
		right := config
		right.Region = "eu-test-1"
		storetest.Write(t, open(t, right), map[string]string{"a": "1"})
	})
	t.Run("an unknown key", func(t *testing.T) {
		for _, c := range []bucket.Config{config, configOf(t, gateway)} {
			c.Auth.AccessKeyID = "nobody"
			expect(t, errorsOfAllOperations(t, c), statestore.ErrDenied, "", "check accessKeyID and secretAccessKey")
		}
	})
	t.Run("a wrong secret", func(t *testing.T) {
		for _, c := range []bucket.Config{config, configOf(t, gateway)} {
			c.Auth.SecretAccessKey = "wrong-s3cret"
			expect(t, errorsOfAllOperations(t, c), statestore.ErrDenied, "SignatureDoesNotMatch", "check accessKeyID and secretAccessKey")
		}
	})
	t.Run("a clock that is wrong", func(t *testing.T) {
		late, proxy := behindProxy(t, config)
		late.Region = "eu-test-1"
		proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
			sign(r, "eu-test-1", time.Now().Add(-time.Hour))
			next.ServeHTTP(w, r)
		})
		_, err := open(t, late).Read(t.Context())
		expect(t, map[string]error{"read": err}, statestore.ErrDenied, "RequestTimeTooSkewed", "clock")
	})
	t.Run("HTTPS where HTTP is spoken", func(t *testing.T) {
		wrong := config
		wrong.Insecure = false
		expect(t, errorsOfAllOperations(t, wrong), statestore.ErrMisconfigured, "HTTP response to HTTPS client", "spec.insecure to true")
	})
	t.Run("a certificate of an unknown CA", func(t *testing.T) { unknownCA(t, config) })
}

func unknownCA(t *testing.T, config bucket.Config) {
	proxy := buckettest.NewTLSProxy(t, config.Endpoint)
	config.Endpoint = proxy.Endpoint
	expect(t, errorsOfAllOperations(t, config), statestore.ErrMisconfigured, "HTTP request to an HTTPS server", "spec.insecure to false")
	config.Insecure = false
	expect(t, errorsOfAllOperations(t, config), statestore.ErrMisconfigured, "certificate", "ca.crt")
	config.CABundle = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: proxy.Certificate.Raw})
	store := open(t, config)
	storetest.Write(t, store, map[string]string{"over/tls": "1"})
	if content, err := storetest.Read(t, store).Contents.Content(t.Context(), testkit.Path("over/tls")); err != nil || string(content) != "1" {
		t.Errorf("%q, %v", content, err)
	}
}

func sign(r *http.Request, region string, at time.Time) {
	date, day := at.UTC().Format("20060102T150405Z"), at.UTC().Format("20060102")
	r.Header.Set("X-Amz-Date", date)
	signed := []string{"host", "x-amz-content-sha256", "x-amz-date"}
	headers := "host:" + r.Host + "\nx-amz-content-sha256:" + r.Header.Get("X-Amz-Content-Sha256") + "\nx-amz-date:" + date + "\n"
	canonical := strings.Join([]string{
		r.Method, r.URL.EscapedPath(), strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20"), headers,
		strings.Join(signed, ";"), r.Header.Get("X-Amz-Content-Sha256"),
	}, "\n")
	digest := sha256.Sum256([]byte(canonical))
	scope := day + "/" + region + "/s3/aws4_request"
	key := []byte("AWS4" + buckettest.SecretKey)
	for _, part := range []string{day, region, "s3", "aws4_request", "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hex.EncodeToString(digest[:])} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	r.Header.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%x",
		buckettest.AccessKey, scope, strings.Join(signed, ";"), key))
}

func TestMissingPermissionIsNamed(t *testing.T) {
	server := buckettest.MinIO(t)
	config := configOf(t, server)
	config.Path = "some/prefix"
	storetest.Write(t, open(t, config), map[string]string{"held": "1"})
	all := []string{"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"}
	limited := func(t *testing.T, without string) *bucket.Store {
		asRole(t, server, slices.DeleteFunc(slices.Clone(all), func(a string) bool { return a == without }))
		config := config
		config.Auth = bucket.Auth{IAM: true}
		return open(t, config)
	}
	below := "on " + config.Bucket + "/some/prefix/*"
	t.Run("nothing is missing", func(t *testing.T) {
		store := limited(t, "")
		if err := store.Probe(t.Context()); err != nil {
			t.Error(err)
		}
		storetest.Write(t, store, map[string]string{"new": "2"}, "held")
		storetest.Holds(t, store, map[string]string{"new": "2"})
		storetest.Write(t, store, map[string]string{"held": "1"}, "new")
	})
	t.Run("list", func(t *testing.T) {
		store := limited(t, "s3:ListBucket")
		_, err := store.Read(t.Context())
		expect(t, map[string]error{"read": err, "probe": store.Probe(t.Context())}, statestore.ErrDenied, "AccessDenied", "s3:ListBucket on "+config.Bucket+" in")
	})
	t.Run("get", func(t *testing.T) {
		_, err := limited(t, "s3:GetObject").Read(t.Context())
		expect(t, map[string]error{"read": err}, statestore.ErrDenied, "AccessDenied", "s3:GetObject "+below)
	})
	t.Run("put", func(t *testing.T) {
		store := limited(t, "s3:PutObject")
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: storetest.Read(t, store).Revision, Write: testkit.Files(map[string]string{"a": "1"})})
		expect(t, map[string]error{"write": err, "probe": store.Probe(t.Context())}, statestore.ErrDenied, "AccessDenied", "s3:PutObject "+below)
	})
	t.Run("delete", func(t *testing.T) {
		store := limited(t, "s3:DeleteObject")
		_, err := store.Apply(t.Context(), statestore.ChangeSet{Base: storetest.Read(t, store).Revision, Remove: testkit.Paths("held")})
		expect(t, map[string]error{"write": err}, statestore.ErrDenied, "AccessDenied", "s3:DeleteObject "+below)
		storetest.Holds(t, store, map[string]string{"held": "1"})
	})
	t.Run("abort", func(t *testing.T) {
		err := limited(t, "s3:AbortMultipartUpload").Probe(t.Context())
		expect(t, map[string]error{"probe": err}, statestore.ErrDenied, "AccessDenied", "s3:AbortMultipartUpload "+below)
	})
}

func asRole(t *testing.T, server *buckettest.Server, actions []string) {
	t.Helper()
	value := temporary(t, server, append(actions, "s3:GetBucketLocation"))
	t.Setenv("AWS_ACCESS_KEY_ID", value.AccessKeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", value.SecretAccessKey)
	t.Setenv("AWS_SESSION_TOKEN", value.SessionToken)
}

func temporary(t *testing.T, server *buckettest.Server, actions []string) credentials.Value {
	t.Helper()
	policy, err := json.Marshal(map[string]any{
		"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": actions, "Resource": []string{"arn:aws:s3:::*"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	creds, err := credentials.NewSTSAssumeRole("http://"+server.Endpoint, credentials.STSAssumeRoleOptions{
		AccessKey: buckettest.AccessKey, SecretKey: buckettest.SecretKey, Policy: string(policy), DurationSeconds: 3600,
	})
	if err != nil {
		t.Fatal(err)
	}
	value, err := creds.GetWithContext(&credentials.CredContext{Client: http.DefaultClient})
	for range 100 { // MinIO responds before it has loaded its users
		if err == nil || !strings.Contains(err.Error(), "Server not initialized") {
			break
		}
		time.Sleep(100 * time.Millisecond)
		value, err = creds.GetWithContext(&credentials.CredContext{Client: http.DefaultClient})
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestContainerCredentials(t *testing.T) {
	server := buckettest.MinIO(t)
	value := temporary(t, server, []string{"s3:*"})
	container := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]string{
			"AccessKeyId": value.AccessKeyID, "SecretAccessKey": value.SecretAccessKey, "Token": value.SessionToken,
			"Expiration": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
		})
	}))
	defer container.Close()
	config := configOf(t, server)
	config.Auth = bucket.Auth{IAM: true}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.URL)
	storetest.Write(t, open(t, config), map[string]string{"a": "1"})
	storetest.Holds(t, open(t, config), map[string]string{"a": "1"})

	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", filepath.Join(t.TempDir(), "missing"))
	expect(t, errorsOfAllOperations(t, config), statestore.ErrDenied, "missing", "authMethod IAM")
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	config := bucket.Config{
		Name: "BucketStateStore default", Endpoint: server.Listener.Addr().String(), Insecure: true, Bucket: "bucket", Region: "us-east-1",
		Auth: bucket.Auth{AccessKeyID: "a", SecretAccessKey: "s3cret"},
	}
	_, err := open(t, config).Read(t.Context())
	expect(t, map[string]error{"read": err}, statestore.ErrUnavailable, config.Endpoint, "spec.endpoint")
	config.Endpoint = "no-such-host.invalid"
	_, err = open(t, config).Read(t.Context())
	expect(t, map[string]error{"read": err}, statestore.ErrUnavailable, config.Endpoint, "spec.endpoint")
}

func TestResponseDeterminesTheKindOfError(t *testing.T) {
	t.Parallel()
	for code, c := range map[string]struct {
		status int
		kind   error
		hint   string
	}{
		"SlowDown":             {503, statestore.ErrUnavailable, "the rate of requests"},
		"InternalError":        {500, statestore.ErrUnavailable, ""},
		"PermanentRedirect":    {301, statestore.ErrMisconfigured, "another region"},
		"ExpiredToken":         {400, statestore.ErrDenied, "accessKeyID"},
		"QuotaExceeded":        {409, statestore.ErrUnavailable, "quota"},
		"ObjectLocked":         {403, statestore.ErrDenied, "object lock"},
		"AccessDenied":         {403, statestore.ErrDenied, "allow these credentials"},
		"SomethingNew":         {400, statestore.ErrMisconfigured, "spec.endpoint"},
		"SomethingNewInternal": {502, statestore.ErrUnavailable, ""},
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				buckettest.Fail(w, c.status, code, "your key is very-s3cret, you\nknow")
			}))
			defer server.Close()
			store := open(t, bucket.Config{
				Name: "BucketStateStore default", Endpoint: server.Listener.Addr().String(), Insecure: true, Bucket: "bucket", Region: "us-east-1",
				Auth: bucket.Auth{AccessKeyID: "a", SecretAccessKey: "very-s3cret"},
			})
			_, err := store.Read(t.Context())
			told := wantError(t, err, c.kind)
			if !strings.Contains(told.Error(), code) || !strings.Contains(told.Remote, "your key is ***, you know") || !strings.Contains(told.Fix, c.hint) {
				t.Errorf("%v (remote %q, fix %q)", err, told.Remote, told.Fix)
			}
		})
	}
}

func TestCancelledRequestReportsItsContext(t *testing.T) {
	hanging := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hanging:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(hanging)
	config := bucket.Config{
		Name: "BucketStateStore default", Endpoint: server.Listener.Addr().String(), Insecure: true, Bucket: "bucket", Region: "us-east-1",
		Auth: bucket.Auth{AccessKeyID: "a", SecretAccessKey: "s3cret"},
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := open(t, config).Read(ctx)
	wantError(t, err, statestore.ErrUnavailable)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestOpenRejectsInvalidSettings(t *testing.T) {
	good := bucket.Config{Name: "BucketStateStore default", Endpoint: "s3.example.com", Bucket: "bucket", Auth: bucket.Auth{AccessKeyID: "a", SecretAccessKey: "s3cret"}}
	open(t, good)
	for words, change := range map[string]func(*bucket.Config){
		"no bucket":     func(c *bucket.Config) { c.Bucket = "" },
		"no endpoint":   func(c *bucket.Config) { c.Endpoint = "" },
		"has a scheme":  func(c *bucket.Config) { c.Endpoint = "https://s3.example.com" },
		"has a path":    func(c *bucket.Config) { c.Endpoint = "s3.example.com/bucket" },
		"no access key": func(c *bucket.Config) { c.Auth = bucket.Auth{} },
		"unsafe path":   func(c *bucket.Config) { c.Path = "a/../.." },
		"CA bundle":     func(c *bucket.Config) { c.CABundle = []byte("no PEM") },
	} {
		config := good
		change(&config)
		_, err := bucket.Open(config)
		if told := wantError(t, err, statestore.ErrMisconfigured); !strings.Contains(told.Error(), words) || told.Fix == "" {
			t.Errorf("%v (fix %q) does not say %q", err, told.Fix, words)
		}
	}
}

func TestRequestsGoToTheConfiguredEndpoint(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint string
		dual     bool
		want     string
	}{
		"a host of one's own":    {"minio.example.com:9000", false, "https://minio.example.com:9000/bucket/"},
		"Amazon, as configured":  {"s3.eu-west-1.amazonaws.com", false, "https://bucket.s3.eu-west-1.amazonaws.com/"},
		"Amazon, with dualstack": {"s3.eu-west-1.amazonaws.com", true, "https://bucket.s3.dualstack.eu-west-1.amazonaws.com/"},
	} {
		store := open(t, bucket.Config{
			Endpoint: c.endpoint, DualStack: c.dual, Bucket: "bucket", Region: "eu-west-1", Auth: bucket.Auth{AccessKeyID: "a", SecretAccessKey: "s"},
		})
		url, err := bucket.ClientOf(store).PresignedGetObject(t.Context(), "bucket", "key", time.Hour, nil)
		if err != nil || !strings.HasPrefix(url.String(), c.want) {
			t.Errorf("%s: %v, %v", name, url, err)
		}
	}
}
