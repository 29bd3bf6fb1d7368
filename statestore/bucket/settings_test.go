package bucket_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
)

func TestInvalidSettingNamesTheFieldAndTheRule(t *testing.T) {
	good := bucket.Config{Endpoint: "s3.example.com", Bucket: "state", Auth: bucket.Auth{AccessKeyID: "k", SecretAccessKey: "s3cret"}}
	for name, c := range map[string]struct {
		change func(*bucket.Config)
		field  string
		want   string
	}{
		"short":              {func(c *bucket.Config) { c.Bucket = "ab" }, "spec.bucketName", "it has 2 characters, and a name has 3 to 63"},
		"long":               {func(c *bucket.Config) { c.Bucket = strings.Repeat("a", 64) }, "spec.bucketName", "it has 64 characters"},
		"a path":             {func(c *bucket.Config) { c.Bucket = "state/prod" }, "spec.bucketName", "put what is behind the slash into spec.path"},
		"a URL":              {func(c *bucket.Config) { c.Bucket = "s3://state" }, "spec.bucketName", "name the bucket alone"},
		"an address":         {func(c *bucket.Config) { c.Bucket = "192.168.0.1" }, "spec.bucketName", "looks like an IP address"},
		"a space":            {func(c *bucket.Config) { c.Bucket = "my state" }, "spec.bucketName", "a name has only a-z, A-Z"},
		"a dash at the end":  {func(c *bucket.Config) { c.Bucket = "state-" }, "spec.bucketName", "begin and end with a letter"},
		"two dots":           {func(c *bucket.Config) { c.Bucket = "sta..te" }, "spec.bucketName", "a dot must stand between"},
		"capitals at Amazon": {func(c *bucket.Config) { c.Bucket, c.Endpoint = "State", "s3.eu-west-1.amazonaws.com" }, "spec.bucketName", "a name has only a-z, 0-9, . and -"},
		"a scheme":           {func(c *bucket.Config) { c.Endpoint = "http://s3.example.com:9000" }, "spec.endpoint", "write s3.example.com:9000 and set spec.insecure to true"},
		"a secure scheme":    {func(c *bucket.Config) { c.Endpoint = "https://s3.example.com/state" }, "spec.endpoint", "write s3.example.com"},
		"an endpoint's path": {func(c *bucket.Config) { c.Endpoint = "s3.example.com/state" }, "spec.endpoint", "has a path: write s3.example.com"},
		"a user":             {func(c *bucket.Config) { c.Endpoint = "https://key:s3cret@s3.example.com" }, "spec.endpoint", "keys belong in the Secret"},
		"no endpoint":        {func(c *bucket.Config) { c.Endpoint = "" }, "spec.endpoint", "no endpoint is named"},
		"no keys":            {func(c *bucket.Config) { c.Auth = bucket.Auth{} }, "spec.secretRef", "no access key"},
		"a path going up":    {func(c *bucket.Config) { c.Path = "../x" }, "spec.path", ".."},
		"a CA that is none":  {func(c *bucket.Config) { c.CABundle = []byte("x") }, "spec.secretRef", "PEM"},
	} {
		config := good
		c.change(&config)
		config.Name = "BucketStateStore default"
		_, err := bucket.Open(config)
		told := wantError(t, err, statestore.ErrMisconfigured)
		if told.Field != c.field || told.Class != statestore.Setting || !strings.Contains(told.Fix, c.field) || !strings.Contains(told.Error(), c.want) || strings.Contains(told.Error(), "s3cret") {
			t.Errorf("%s: %v (field %q, fix %q), want %q", name, err, told.Field, told.Fix, c.want)
		}
	}
	for _, name := range []string{"abc", "State_1", "a.b-c", strings.Repeat("a", 63)} {
		config := good
		config.Bucket = name
		if _, err := bucket.Open(config); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func answered(t *testing.T, code int, header map[string]string, body string) (map[string]error, int64) {
	t.Helper()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		for key, value := range header {
			w.Header().Set(key, value)
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	found := errorsOfAllOperations(t, bucket.Config{
		Name: "BucketStateStore default", Endpoint: strings.TrimPrefix(server.URL, "http://"), Insecure: true, Bucket: "bucket", Region: "us-east-1",
		Auth: bucket.Auth{AccessKeyID: "key", SecretAccessKey: "secret"},
	})
	return found, asked.Load()
}

func TestRetryAfterOfTheServerIsRespected(t *testing.T) {
	for _, code := range []int{http.StatusServiceUnavailable, http.StatusForbidden} {
		body := "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
		found, asked := answered(t, code, map[string]string{"Retry-After": "120"}, body)
		waits := 0
		for op, err := range found {
			told := wantError(t, err, statestore.ErrUnavailable)
			if statestore.RetryAfter(err) == 2*time.Minute {
				waits++
			}
			if told.Class != statestore.Server || strings.Contains(told.Fix, "Secret") {
				t.Errorf("%d, %s: %v (class %q, fix %q)", code, op, err, told.Class, told.Fix)
			}
		}
		if asked != 1 || waits < 2 {
			t.Errorf("%d: asked %d times; %d of the errors name the time", code, asked, waits)
		}
	}
}

// versitygw answers such a request with status 404.
func TestUnknownAccessKeyIsNotAMissingObject(t *testing.T) {
	body := "<Error><Code>XAdminUserNotFound</Code><Message>No user exists with the provided access key.</Message></Error>"
	found, _ := answered(t, http.StatusNotFound, nil, body)
	for op, err := range found {
		told := wantError(t, err, statestore.ErrDenied)
		if told.Field != "spec.secretRef" || told.Class != statestore.Setting {
			t.Errorf("%s: %v (class %q, field %q)", op, err, told.Class, told.Field)
		}
	}
}

func TestEachResponseHasAClass(t *testing.T) {
	for code, c := range map[string]struct {
		status int
		class  statestore.Class
		field  string
	}{
		"NoSuchBucket":                 {404, statestore.Setting, "spec.bucketName"},
		"InvalidAccessKeyId":           {403, statestore.Setting, "spec.secretRef"},
		"SignatureDoesNotMatch":        {403, statestore.Setting, "spec.secretRef"},
		"AuthorizationHeaderMalformed": {400, statestore.Setting, "spec.endpoint"},
		"RequestTimeTooSkewed":         {403, statestore.Machine, ""},
		"QuotaExceeded":                {403, statestore.Server, ""},
		"AccessDenied":                 {403, statestore.Server, ""},
	} {
		found, _ := answered(t, c.status, nil, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
		for op, err := range found {
			var told *statestore.Error
			if !errors.As(err, &told) || told.Class != c.class || told.Field != c.field || !strings.Contains(told.Fix, c.field) || told.Fix == "" {
				t.Errorf("%s, %s: %v (class %q, field %q, fix %q)", code, op, err, told.Class, told.Field, told.Fix)
			}
		}
	}
}
