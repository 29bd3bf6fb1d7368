package buckettest

import (
	"crypto/md5" //nolint:gosec // S3 uses it for ETags
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Fake starts a server that lists a number of objects and stores nothing. It returns the server's
// host and port.
func Fake(t testing.TB, objects int) string {
	t.Helper()
	keys := make([]string, objects)
	for i := range keys {
		keys[i] = FakeKey(i)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		query := r.URL.Query()
		switch {
		case query.Has("location"):
			_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><LocationConstraint>us-east-1</LocationConstraint>`)
		case query.Has("list-type"):
			page(w, keys, query.Get("continuation-token"))
		case r.Header.Get("If-Match") == strings.Repeat("0", 32), r.Header.Get("If-Match") == `"`+strings.Repeat("0", 32)+`"`:
			Fail(w, http.StatusPreconditionFailed, "PreconditionFailed", "no")
		default:
			w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum(body))) //nolint:gosec // see the import
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// FakeKey returns the key of object i of a Fake.
func FakeKey(i int) string {
	return fmt.Sprintf("worker-1/resources/default/elastic-cloud/request-%06d/instance/5058f/elasticsearch.yaml", i)
}

func page(w http.ResponseWriter, keys []string, token string) {
	from := 0
	_, _ = fmt.Sscan(token, &from)
	to := min(from+1000, len(keys))
	_, _ = fmt.Fprintf(w, `<?xml version="1.0" encoding="UTF-8"?><ListBucketResult><IsTruncated>%v</IsTruncated>`, to < len(keys))
	if to < len(keys) {
		_, _ = fmt.Fprintf(w, `<NextContinuationToken>%d</NextContinuationToken>`, to)
	}
	for i, key := range keys[from:to] {
		_, _ = fmt.Fprintf(w, `<Contents><Key>%s</Key><LastModified>2026-11-20T12:00:00.000Z</LastModified><ETag>&#34;%032x&#34;</ETag><Size>560</Size><StorageClass>STANDARD</StorageClass></Contents>`,
			key, from+i)
	}
	_, _ = io.WriteString(w, `</ListBucketResult>`)
}
