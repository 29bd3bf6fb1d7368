package daemon

import (
	"testing"
	"time"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/telemetry"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
	"github.com/kratix-schedule/kratix-schedule/statestore/open"
	"github.com/kratix-schedule/kratix-schedule/statestore/throttle"
)

type keeping struct{ kept []kratix.StateStoreReference }

func (k *keeping) Open(ref kratix.StateStoreReference, _ kratix.Object, _ *kratix.Secret) (statestore.Store, error) {
	return memory.New(ref.String()), nil
}

func (k *keeping) Keep(refs []kratix.StateStoreReference) { k.kept = refs }

func TestEachLayerPassesOnKeep(t *testing.T) {
	stays, leaves := kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "stays"}, kratix.StateStoreReference{Kind: kratix.GitStateStoreKind, Name: "leaves"}
	for name, wrap := range map[string]func(statestore.Opener) statestore.Opener{
		"workers":   func(next statestore.Opener) statestore.Opener { return newWorkerStores(next, func() {}, nil) },
		"stopping":  func(next statestore.Opener) statestore.Opener { return stoppingStores{next, &stopping{}} },
		"telemetry": func(next statestore.Opener) statestore.Opener { return (&telemetry.Observer{}).Stores(next) },
		"throttle":  func(next statestore.Opener) statestore.Opener { return &throttle.Throttle{Opener: next, Now: time.Now} },
		"dry run":   func(next statestore.Opener) statestore.Opener { return open.ReadOnly{Opener: next} },
	} {
		inner := &keeping{}
		keeper, ok := wrap(inner).(statestore.Keeper)
		if !ok {
			t.Errorf("%s keeps nothing", name)
			continue
		}
		keeper.Keep([]kratix.StateStoreReference{stays})
		if len(inner.kept) != 1 || inner.kept[0] != stays {
			t.Errorf("%s: kept %v", name, inner.kept)
		}
	}
	worked := newWorkerStores(&keeping{}, func() {}, nil)
	for _, ref := range []kratix.StateStoreReference{stays, leaves} {
		if _, err := worked.Open(ref, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if worked.Keep([]kratix.StateStoreReference{stays}); len(worked.open) != 1 || worked.open[stays].Store == nil {
		t.Errorf("%d stores have workers", len(worked.open))
	}
}
