package memory_test

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/storetest"
)

func TestMemoryStoreConforms(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Fixture {
		store := memory.New("memory")
		return storetest.Fixture{Store: store, Reopen: func() statestore.Store { return store }, Refuse: func(t *testing.T) map[string]string {
			store.Refuse(testkit.Paths("resources/secret")...)
			return map[string]string{"resources/secret": "s"}
		}}
	})
}
