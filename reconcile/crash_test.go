package reconcile

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/finding"
	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/servertest"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket"
	"github.com/kratix-schedule/kratix-schedule/statestore/bucket/buckettest"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

var afterwards = map[string]func(*testEnv){
	"it stays":     func(*testEnv) {},
	"it goes":      func(w *testEnv) { w.remove("a") },
	"it goes back": func(w *testEnv) { w.putFiles("a", crashFiles("old")) },
	"it goes on":   func(w *testEnv) { w.putFiles("a", crashFiles("newest")) },
}

func crashFiles(version string) map[string]string {
	return map[string]string{"same.yaml": testkit.ConfigMaps("same-" + version), version + ".yaml": testkit.ConfigMaps("only-" + version)}
}

func TestUpdateThatIsCutShortInABucket(t *testing.T) {
	server := buckettest.MinIO(t)
	proxy := buckettest.NewProxy(t, server.Endpoint)
	config := bucket.Config{
		Name: "BucketStateStore default", Endpoint: proxy.Endpoint, Insecure: true, Bucket: server.Bucket(t), Region: "us-east-1",
		Auth: bucket.Auth{AccessKeyID: buckettest.AccessKey, SecretAccessKey: buckettest.SecretKey}, Parallel: 1,
	}
	for _, mode := range []string{kratix.NestedByMetadata, kratix.AggregatedYAML, kratix.None} {
		for name, happens := range afterwards {
			t.Run(mode+"/"+name, func(t *testing.T) {
				want := finished(t, mode, happens)
				for requests := 0; ; requests++ {
					config.Path = fmt.Sprintf("%s/%s/%d", mode, name, requests)
					if interruptUpdate(t, proxy, config, mode, requests, happens, want) {
						break
					}
					if requests > 50 {
						t.Fatal("an update of a few files takes more than 50 requests")
					}
				}
			})
		}
	}
}

func updated(t *testing.T, mode string, store statestore.Store) *testEnv {
	w := inMode(t, mode)
	w.store = store
	w.putFiles("a", crashFiles("old"))
	w.put("b", "b")
	w.round()
	w.putFiles("a", crashFiles("new"))
	return w
}

func finished(t *testing.T, mode string, happens func(*testEnv)) string {
	w := updated(t, mode, memory.New("BucketStateStore default"))
	w.round()
	happens(w)
	w.round()
	return w.dump()
}

func interruptUpdate(t *testing.T, proxy *servertest.Proxy, config bucket.Config, mode string, requests int, happens func(*testEnv), want string) bool {
	w := updated(t, mode, reopen(t, config))
	var sent atomic.Int64
	proxy.Between(func(next http.Handler, rw http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && sent.Add(1) > int64(requests) {
			buckettest.Fail(rw, http.StatusForbidden, "AccessDenied", "cut short")
			return
		}
		next.ServeHTTP(rw, r)
	})
	whole := !w.round().Has(finding.StoreFailed())
	proxy.Between(nil)

	w.store = reopen(t, config)
	if held := w.dump(); !holdsVersion(held, "old") && !holdsVersion(held, "new") {
		t.Errorf("after %d requests neither version is there:\n%s", requests, held)
	}
	happens(w)
	w.round()
	if got := w.dump(); got != want {
		t.Errorf("after %d requests and one round the store holds\n%s\nwant\n%s", requests, got, want)
	}
	if again := w.round(); again.Changes() {
		t.Errorf("after %d requests a second round changes %+v", requests, again.Stores)
	}
	w.putFiles("c", map[string]string{"c.yaml": testkit.ConfigMaps("c")})
	w.round()
	if left := w.state().Unfinished; len(left) > 0 {
		t.Errorf("after %d requests and another write these are left unfinished: %v", requests, left)
	}
	return whole
}

func reopen(t *testing.T, config bucket.Config) statestore.Store {
	store, err := bucket.Open(config)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func holdsVersion(dump, version string) bool {
	return strings.Contains(dump, "name: only-"+version+"\n")
}

type unfinished struct {
	statestore.Store
	files []string
}

func (u unfinished) Read(ctx context.Context) (statestore.State, error) {
	state, err := u.Store.Read(ctx)
	for _, file := range u.files {
		state.Unfinished = append(state.Unfinished, testkit.Path(file))
	}
	return state, err
}

func TestUnfinishedFilesStayWhileTheyMayBelongToAPlacement(t *testing.T) {
	const left, elsewhere = "worker-1/left.yaml", "worker-2/left.yaml"
	for name, c := range map[string]struct {
		prepare func(*testEnv)
		stays   bool
	}{
		"everything is decided": {func(*testEnv) {}, false},
		"a Work that cannot be read": {func(w *testEnv) {
			w.remove("a")
			w.snapshot.Incomplete = true
		}, true},
		"a record that cannot be read": {func(w *testEnv) {
			w.write(map[string]string{"worker-1/.kratix/odd.yaml": "no: record\n"})
		}, true},
		"a Destination that goes and leaves its files": {func(w *testEnv) {
			now := metav1.Now()
			w.snapshot.Destinations[0].DeletionTimestamp = &now
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := inMode(t, kratix.None)
			w.put("a", "a")
			w.round()
			w.write(map[string]string{left: testkit.ConfigMaps("left"), elsewhere: testkit.ConfigMaps("left")})
			w.store = unfinished{w.store, []string{left, elsewhere}}
			c.prepare(w)
			var still []string
			w.finish = func(ctx context.Context, parts []statestore.StoreChanges) []statestore.Outcome {
				for _, path := range parts[0].Changes.Unfinished {
					still = append(still, path.String())
				}
				return Commit(ctx, parts)
			}
			w.round()
			if got := slices.Contains(w.paths(), left); got != c.stays || slices.Contains(still, left) != c.stays {
				t.Errorf("it is there: %v; still unfinished: %v", got, still)
			}
			if !slices.Contains(w.paths(), elsewhere) || !slices.Contains(still, elsewhere) {
				t.Errorf("a file outside of every Destination is gone; still unfinished: %v", still)
			}
		})
	}
}
