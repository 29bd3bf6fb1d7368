package lease

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"
)

// Holder returns who held the Lease by which replicas lead, if it was renewed lately;
// nothing if nobody is known to.
func Holder(ctx context.Context, leases client.LeasesGetter, namespace string, now time.Time) string {
	lease, err := leases.Leases(namespace).Get(ctx, LeaderName, metav1.GetOptions{})
	if err != nil {
		return "" // there is none, or it may not be read
	}
	spec := lease.Spec
	if spec.HolderIdentity == nil || spec.RenewTime == nil || spec.LeaseDurationSeconds == nil {
		return ""
	}
	if end := spec.RenewTime.Add(time.Duration(*spec.LeaseDurationSeconds) * time.Second); now.After(end) {
		return ""
	}
	return *spec.HolderIdentity
}
