package lease

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// Holder is a replica that holds a Lease.
type Holder struct {
	// Name is the name of the replica. Lease is the name of the Lease.
	Name, Lease string
}

// Holders returns the replicas that hold one of this program's Leases in a namespace. It does not
// find replicas that run without leader election.
func Holders(ctx context.Context, leases client.LeasesGetter, namespace string, now time.Time) ([]Holder, error) {
	list, err := leases.Leases(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the Leases in the namespace %s: %w", namespace, err)
	}
	var holders []Holder
	for i := range list.Items {
		lease := &list.Items[i]
		if isOurs := lease.Name == Name || strings.HasPrefix(lease.Name, Name+"-"); isOurs && isHeld(lease.Spec, now) {
			holders = append(holders, Holder{Name: *lease.Spec.HolderIdentity, Lease: lease.Name})
		}
	}
	slices.SortFunc(holders, func(a, b Holder) int { return cmp.Compare(a.Lease, b.Lease) })
	return holders, nil
}

func isHeld(spec coordination.LeaseSpec, now time.Time) bool {
	if spec.HolderIdentity == nil || *spec.HolderIdentity == "" || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return false
	}
	return !now.After(spec.RenewTime.Add(time.Duration(*spec.LeaseDurationSeconds) * time.Second))
}
