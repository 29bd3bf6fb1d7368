// Package lease keeps a replica's own Lease in a Kubernetes cluster, and follows
// those of the others: who lives, and by which view each acts. One that is not
// renewed any more is deleted by whoever finds that out, on the condition that it
// is still as it was: so the replica cannot renew it later without noticing.
package lease

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	client "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/share"
)

// MemberLabel marks the Leases of replicas that share the work; ViewAnnotation has
// the view by which one acts.
const (
	MemberLabel    = "kratix-schedule.io/member"
	ViewAnnotation = "kratix-schedule.io/view"
)

// prefix makes the names of Leases.
const prefix = "kratix-schedule-"

// ErrLost means that the others take this replica for dead, or soon will.
var ErrLost = errors.New("the replica's Lease was lost, or could not be renewed")

// Keeper keeps the Lease of one replica.
type Keeper struct {
	// Leases are those of one namespace.
	Leases client.LeaseInterface
	// Self is the replica's name.
	Self  string
	Share *share.Share
	// Duration is after how long without a renewal the others take over.
	Duration time.Duration
	Now      func() time.Time
	// Changed is called when places may have come or gone; Trouble is called with what
	// fails, and is tried again. Neither may wait.
	Changed func()
	Trouble func(error)

	own *coordination.Lease
	// renewed is when the last renewal that succeeded began.
	renewed time.Time
	// known is what was seen of others, by the Lease's name.
	known map[string]sighting
}

// sighting is how a Lease was seen first as it is.
type sighting struct {
	version string
	since   time.Time
}

// Keep renews the Lease until ctx ends; then it releases it. Before that it
// fails only with ErrLost.
func (k *Keeper) Keep(ctx context.Context) error {
	const perDuration = 7
	tick := time.NewTicker(k.Duration / perDuration)
	defer tick.Stop()
	defer k.giveBack(ctx)
	for ctx.Err() == nil {
		err := k.round(ctx)
		if k.own != nil && k.Now().Sub(k.renewed) > k.limit() {
			err = errors.Join(ErrLost, err)
		}
		switch {
		case errors.Is(err, ErrLost):
			return err
		case err != nil && ctx.Err() == nil:
			k.Trouble(err)
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

// While does work while the replica's Lease is kept, and keeps it until work has
// ended.
func (k *Keeper) While(ctx context.Context, work func(context.Context) error) error {
	working, stop := context.WithCancel(ctx)
	defer stop()
	keeping, give := context.WithCancel(context.WithoutCancel(ctx))
	kept := make(chan error, 1)
	go func() {
		kept <- k.Keep(keeping)
		stop()
	}()
	err := work(working)
	give()
	return errors.Join(err, <-kept)
}

// limit is how long a replica goes on without a renewal: well less than others
// wait.
func (k *Keeper) limit() time.Duration { return k.Duration * 2 / 3 }

// round publishes, then looks at the others.
func (k *Keeper) round(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, k.limit()/2)
	defer cancel()
	began, view := k.Now(), k.Share.View()
	if err := k.publish(ctx, view); err != nil {
		return err
	}
	if k.own != nil {
		k.renewed = began
		k.Share.Published(view, began.Add(k.limit()))
	}
	others, err := k.look(ctx)
	if err == nil && k.own != nil && k.Share.Seen(others) {
		k.Changed()
	}
	return err
}

// publish writes the Lease. One that is there before the first time is left by an
// earlier process of the same name: it is waited for until it is over.
func (k *Keeper) publish(ctx context.Context, view []string) error {
	lease, made := k.lease(view), (*coordination.Lease)(nil)
	var err error
	if k.own == nil {
		made, err = k.Leases.Create(ctx, lease, metav1.CreateOptions{})
		if apierrors.IsAlreadyExists(err) {
			return nil // look finds out when it is over
		}
	} else {
		lease.ResourceVersion, lease.UID = k.own.ResourceVersion, k.own.UID
		made, err = k.Leases.Update(ctx, lease, metav1.UpdateOptions{})
		if apierrors.IsConflict(err) {
			made, err = k.updateNewer(ctx, lease, err)
		}
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return fmt.Errorf("%w: %w", ErrLost, err)
		}
	}
	if err != nil {
		return fmt.Errorf("write the Lease %s: %w", lease.Name, err)
	}
	k.own = made
	return nil
}

// updateNewer writes a Lease that is not as this process knows it, if it is still
// the one that it created: others only delete, so a write of this process came
// through whose answer did not. The roles in deploy allow to list Leases, not to get
// one.
func (k *Keeper) updateNewer(ctx context.Context, lease *coordination.Lease, conflict error) (*coordination.Lease, error) {
	list, err := k.Leases.List(ctx, metav1.ListOptions{LabelSelector: MemberLabel})
	if err != nil {
		return nil, err
	}
	for _, now := range list.Items {
		if now.Name == lease.Name && now.UID == k.own.UID {
			lease.ResourceVersion = now.ResourceVersion
			return k.Leases.Update(ctx, lease, metav1.UpdateOptions{})
		}
	}
	return nil, conflict
}

func (k *Keeper) lease(view []string) *coordination.Lease {
	now, seconds := metav1.NewMicroTime(k.Now()), int32(k.Duration/time.Second)
	return &coordination.Lease{
		ObjectMeta: metav1.ObjectMeta{
			Name: prefix + k.Self, Labels: map[string]string{MemberLabel: "true"},
			Annotations: map[string]string{ViewAnnotation: strings.Join(view, " ")},
		},
		Spec: coordination.LeaseSpec{HolderIdentity: &k.Self, RenewTime: &now, LeaseDurationSeconds: &seconds},
	}
}

// look returns the others that live, and deletes the Leases of those that do not.
func (k *Keeper) look(ctx context.Context) ([]share.Replica, error) {
	list, err := k.Leases.List(ctx, metav1.ListOptions{LabelSelector: MemberLabel})
	if err != nil {
		return nil, fmt.Errorf("list the Leases of the replicas: %w", err)
	}
	known := map[string]sighting{}
	var others []share.Replica
	for i := range list.Items {
		lease := &list.Items[i]
		if k.own != nil && lease.Name == k.own.Name {
			continue
		}
		seen := k.known[lease.Name]
		if seen.version != lease.ResourceVersion {
			seen = sighting{lease.ResourceVersion, k.Now()}
		}
		known[lease.Name] = seen
		if k.isOver(lease, seen) {
			gone, err := k.remove(ctx, lease)
			if err != nil {
				return nil, err
			}
			if gone {
				continue
			}
		}
		others = append(others, share.Replica{Name: strings.TrimPrefix(lease.Name, prefix), View: strings.Fields(lease.Annotations[ViewAnnotation])})
	}
	k.known = known
	slices.SortFunc(others, func(a, b share.Replica) int { return strings.Compare(a.Name, b.Name) })
	return others, nil
}

// isOver reports whether a Lease was not renewed for as long as it says, by this
// process's clock alone.
func (k *Keeper) isOver(lease *coordination.Lease, seen sighting) bool {
	lasts := k.Duration
	if seconds := lease.Spec.LeaseDurationSeconds; seconds != nil {
		lasts = time.Duration(*seconds) * time.Second
	}
	return k.Now().Sub(seen.since) > lasts
}

// remove deletes a Lease if it is still as it was seen.
func (k *Keeper) remove(ctx context.Context, lease *coordination.Lease) (gone bool, err error) {
	err = k.Leases.Delete(ctx, lease.Name, metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &lease.UID, ResourceVersion: &lease.ResourceVersion},
	})
	switch {
	case err == nil || apierrors.IsNotFound(err):
		return true, nil
	case apierrors.IsConflict(err):
		return false, nil // it was renewed meanwhile
	}
	return false, fmt.Errorf("delete the Lease %s, which is over: %w", lease.Name, err)
}

// giveBack lets the others take over at once.
func (k *Keeper) giveBack(ctx context.Context) {
	if k.own == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), k.Duration/3)
	defer cancel()
	_, _ = k.remove(ctx, k.own) // or they find out that it is over
}
