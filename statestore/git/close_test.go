package git_test

import (
	"fmt"
	"net"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/statestore/git"
	"github.com/kratix-schedule/kratix-schedule/statestore/git/gittest"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

type connections struct {
	net.Listener
	open atomic.Int64
}

type connection struct {
	net.Conn
	of     *connections
	closed atomic.Bool
}

func (c *connections) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	return &connection{Conn: conn, of: c}, nil
}

func (c *connection) Close() error {
	if !c.closed.Swap(true) {
		c.of.open.Add(-1)
	}
	return c.Conn.Close()
}

func waitUntilZero(t *testing.T, what string, number func() int64) {
	t.Helper()
	for range 200 {
		if number() == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d %s are left", number(), what)
}

func TestClosedStoresLeaveNoConnectionsBehind(t *testing.T) {
	repository := gittest.Bare(t)
	server := httptest.NewUnstartedServer(gittest.Backend(t, filepath.Dir(repository)))
	counting := &connections{Listener: server.Listener}
	server.Listener = counting
	server.Start()
	t.Cleanup(server.Close)
	overHTTP := git.Config{URL: server.URL + "/store.git", Auth: git.Auth{Username: gittest.User, Password: gittest.Password}}
	overSSH, shell := servedBySSH(t, repository)
	for name, c := range map[string]struct {
		config git.Config
		open   func() int64
	}{
		"http": {overHTTP, counting.open.Load},
		"ssh":  {overSSH, shell.Open.Load},
	} {
		t.Run(name, func(t *testing.T) {
			pool := &git.Pool{}
			var stores []*git.Store
			for i := range 2 {
				config := c.config
				config.Path, config.Now = fmt.Sprint("dir-", i), time.Now
				store, err := pool.Open(config)
				if err != nil {
					t.Fatal(err)
				}
				storetest.Write(t, store, map[string]string{"a": name})
				stores = append(stores, store)
			}
			first := storetest.Read(t, stores[0])
			stores[0].Close() //nolint:errcheck // it returns no error
			stores[0].Close() //nolint:errcheck // a second Close must not count
			storetest.Holds(t, stores[1], map[string]string{"a": name})
			if c.open() == 0 {
				t.Error("the connection that another store shares was closed")
			}
			stores[1].Close() //nolint:errcheck // it returns no error
			waitUntilZero(t, "connections", c.open)
			for path := range first.Files.All() {
				if content, err := first.Contents.Content(t.Context(), path); err != nil || string(content) != name {
					t.Errorf("what a State held is gone: %q, %v", content, err)
				}
			}
			storetest.Holds(t, stores[1], map[string]string{"a": name})
		})
	}
}
