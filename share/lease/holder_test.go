package lease

import (
	"testing"
	"time"

	coordination "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAHolderIsOneThatRenewedLately(t *testing.T) {
	now := time.Unix(1_000, 0)
	ago := func(d time.Duration) *metav1.MicroTime { return &metav1.MicroTime{Time: now.Add(-d)} }
	seconds, name, nobody := int32(15), "pod-1", ""
	for what, test := range map[string]struct {
		spec *coordination.LeaseSpec
		want string
	}{
		"none is there":      {nil, ""},
		"renewed":            {&coordination.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: ago(14 * time.Second)}, name},
		"over":               {&coordination.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: ago(16 * time.Second)}, ""},
		"given back":         {&coordination.LeaseSpec{HolderIdentity: &nobody, LeaseDurationSeconds: &seconds, RenewTime: ago(0)}, ""},
		"made and not taken": {&coordination.LeaseSpec{}, ""},
	} {
		g := newGuarded()
		if test.spec != nil {
			g.inner.put(&coordination.Lease{ObjectMeta: metav1.ObjectMeta{Name: LeaderName}, Spec: *test.spec})
		}
		if got := Holder(t.Context(), g, "default", now); got != test.want {
			t.Errorf("%s: the holder is %q, want %q", what, got, test.want)
		}
	}
}
