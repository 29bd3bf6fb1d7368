package reconcile_test

import (
	"context"
	"fmt"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/tree"
	"github.com/kratix-schedule/kratix-schedule/reconcile"
	"github.com/kratix-schedule/kratix-schedule/source/dir"
	"github.com/kratix-schedule/kratix-schedule/statestore"
	"github.com/kratix-schedule/kratix-schedule/statestore/memory"
)

type onlyStore struct{ statestore.Store }

func (s onlyStore) Open(kratix.StateStoreReference, kratix.Object, *kratix.Secret) (statestore.Store, error) {
	return s.Store, nil
}

// One round writes the files of three Works. Two of the Works have objects in common, so the second
// one is held back.
func ExampleReconciler() {
	ctx := context.Background()
	store := memory.New("GitStateStore default")
	reconciler := &reconcile.Reconciler{
		Source: &dir.Source{Paths: []string{"../testdata/elastic-cloud"}},
		Stores: onlyStore{store},
		Finish: reconcile.Commit,
	}
	report, err := reconciler.Round(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range report.Placements {
		fmt.Printf("%s on %s: %s, %s\n", p.Work, p.Destination, p.State, p.Reason)
	}
	fmt.Println(report.Findings[0].Rule.ID, report.Findings[0].Message)
	state, err := store.Read(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, path := range state.Files.Paths(tree.Path{}) {
		fmt.Println(path)
	}
	// Output:
	// default/elastic-cloud-example-default-instance-8172a on worker-1: placed, the only Destination that fits
	// default/elastic-cloud-second-request-default-instance-0c208 on worker-1: held back, 8 of its objects are in worker-1/resources already
	// default/redis-cache-default-instance-0d2c4 on worker-1: placed, the only Destination that fits
	// KS001 CustomResourceDefinition beats.beat.k8s.elastic.co is in worker-1/resources already
	// worker-1/.kratix/5c.kratix/default-redis-cache-default-instance-0d2c4.worker-1-5058f.5c85ac41fa986f47.yaml
	// worker-1/.kratix/bb.kratix/default-elastic-cloud-example-default-instance-8172a.worker-1-5058f.bb325ac01bdf637c.yaml
	// worker-1/dependencies/kratix-canary-namespace.yaml
	// worker-1/resources/default/elastic-cloud/example/instance/5058f/beats.yaml
	// worker-1/resources/default/elastic-cloud/example/instance/5058f/elastic-crds.yaml
	// worker-1/resources/default/elastic-cloud/example/instance/5058f/elastic-operator.yaml
	// worker-1/resources/default/elastic-cloud/example/instance/5058f/elasticsearch.yaml
	// worker-1/resources/default/elastic-cloud/example/instance/5058f/kibana.yaml
	// worker-1/resources/default/redis/cache/instance/5058f/redis.yaml
	// worker-1/resources/kratix-canary-configmap.yaml
}
