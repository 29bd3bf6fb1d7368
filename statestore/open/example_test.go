package open_test

import (
	"fmt"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/testkit"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
)

// Open sends no request, so it does not detect a wrong password.
func ExampleStores() {
	stores := &open.Stores{Now: time.Now}
	ref := kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "default"}
	spec := testkit.GitStore("default", "https://git.example.com/state.git")

	first, err := stores.Open(ref, spec, nil)
	fmt.Println(err)
	again, _ := stores.Open(ref, spec, nil)
	fmt.Println("the same store:", first == again)
	_, err = stores.Open(kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "other"}, nil, nil)
	fmt.Println(err)
	// Output:
	// <nil>
	// the same store: true
	// open GitStateStore other: the store is misconfigured: it is not in the input
}
