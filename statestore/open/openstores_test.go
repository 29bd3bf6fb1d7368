package open

import (
	"testing"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/statestore"
)

type closing struct {
	statestore.Store
	closed int
}

func (c *closing) Close() error {
	c.closed++
	return nil
}

func TestStoresThatLeaveTheInputAreClosed(t *testing.T) {
	var stores openStores[string]
	opened := map[string]*closing{}
	open := func(name, config string) {
		t.Helper()
		_, err := stores.open(kratix.StateStoreReference{Name: name}, config, func() (statestore.Store, error) {
			opened[name+config] = &closing{}
			return opened[name+config], nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	open("a", "1")
	open("b", "1")
	open("a", "1")
	open("b", "2")
	stores.keep([]kratix.StateStoreReference{{Name: "b"}, {Name: "never opened"}})
	open("a", "1")
	for name, want := range map[string]int{"b1": 1, "b2": 0, "a1": 0} {
		if got := opened[name].closed; got != want {
			t.Errorf("%s: closed %d times, want %d", name, got, want)
		}
	}
	if len(stores.stores) != 2 {
		t.Errorf("%d are held", len(stores.stores))
	}
	stores.keep(nil)
	if opened["a1"].closed != 1 || opened["b2"].closed != 1 || len(stores.stores) != 0 {
		t.Error("not all are closed")
	}
}
