package oci_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci"
	"github.com/kratix-schedule/kratix-schedule/statestore/oci/ocitest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

// TestCrashingWriter is the child process of TestKill9. It writes until it is killed.
func TestCrashingWriter(t *testing.T) {
	url, ok := storetest.CrashingWriter()
	if !ok {
		return
	}
	store := open(t, crashConfig(url))
	for i := 1; ; i++ {
		// A write may take too long on a busy machine.
		if _, err := storetest.Round(t, store, crashTree(i%2)); err != nil && !statestore.IsTemporary(err) {
			t.Fatal(err)
		}
	}
}

func crashConfig(url string) oci.Config {
	return oci.Config{Name: "OCIStateStore fleet", URL: url, Dir: ".", Insecure: true, Settle: time.Second, Keep: 3, Now: time.Now}
}

func crashTree(which int) map[string]string {
	files := map[string]string{}
	for i := range 10 {
		for _, dir := range []string{"dependencies", "resources", ".kratix"} {
			files[fmt.Sprintf("%s/common/%d.yaml", dir, i)] = strconv.Itoa(which)
			files[fmt.Sprintf("%s/only-%d/%d.yaml", dir, which, i)] = "x"
		}
	}
	return files
}

// TestKill9 kills a writer at 100 random moments.
func TestKill9(t *testing.T) {
	t.Parallel()
	plain := config(ocitest.Registry(t))
	proxied, proxy := through(t, plain)
	var countdown atomic.Int64
	now := make(chan struct{}, 1)
	proxy.Between(func(next http.Handler, w http.ResponseWriter, r *http.Request) {
		if countdown.Add(-1) == 0 {
			now <- struct{}{}
		}
		// The registry also completes requests of killed clients.
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
	store, changed := open(t, crashConfig(plain.URL)), 0
	for range 100 {
		storetest.Settle(t, store, crashTree(0))
		// A writer may first have to wait for a killed one.
		countdown.Store(2 + rand.Int64N(150)) //nolint:gosec // a random moment
		storetest.KillWriter(t, proxied.URL, now)
		proxy.Quiet(t)
		held := storetest.Contents(t, storetest.Read(t, open(t, plain)))
		which := 0
		if _, isOther := held["resources/only-1/0.yaml"]; isOther {
			which, changed = 1, changed+1
		}
		storetest.Holds(t, open(t, plain), crashTree(which))
	}
	storetest.Settle(t, store, crashTree(1))
	t.Logf("%d of 100 kills left the other tree", changed)
	if changed == 0 || changed == 100 {
		t.Errorf("%d of 100 kills left the other tree", changed)
	}
}
