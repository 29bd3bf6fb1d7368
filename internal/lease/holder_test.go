package lease_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/lease"
)

func TestHolderHasRenewedRecently(t *testing.T) {
	now := time.Unix(1_000, 0)
	ago := func(d time.Duration) *metav1.MicroTime { return &metav1.MicroTime{Time: now.Add(-d)} }
	seconds, name, nobody := int32(15), "pod-1", ""
	for what, test := range map[string]struct {
		spec *coordination.LeaseSpec
		want []lease.Holder
	}{
		"none is there":      {},
		"renewed":            {&coordination.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: ago(14 * time.Second)}, []lease.Holder{{name, lease.Name}, {name, lease.Name + "-5d41402abc"}}},
		"over":               {&coordination.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: ago(16 * time.Second)}, nil},
		"given back":         {&coordination.LeaseSpec{HolderIdentity: &nobody, LeaseDurationSeconds: &seconds, RenewTime: ago(0)}, nil},
		"made and not taken": {&coordination.LeaseSpec{}, nil},
	} {
		l := newLeases()
		if test.spec != nil {
			for _, of := range []string{lease.Name, lease.Name + "-5d41402abc", lease.Name + "r", "of-another-program"} {
				l.put(&coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: of}, Spec: *test.spec})
			}
		}
		if got, err := lease.Holders(t.Context(), l, "default", now); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: the holders are %q, %v", what, got, err)
		}
	}
}

func TestLeasesThatCannotBeListedAreAnError(t *testing.T) {
	l := newLeases()
	l.down = errors.New("forbidden")
	if _, err := lease.Holders(t.Context(), l, "default", time.Unix(0, 0)); err == nil {
		t.Error("nothing says that the Leases cannot be listed")
	}
}
