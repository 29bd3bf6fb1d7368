// Package discover reads the profile of a cluster from its API server.
package discover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
	"github.com/kratix-schedule/kratix-schedule/internal/kubeclient"
)

// Read returns the profile of the cluster of config. name is the name of the Destination, and now
// is the time in the profile. API groups that cannot be listed are in Unread. Other failures are
// errors.
func Read(ctx context.Context, config *rest.Config, name string, now time.Time) (*profile.Profile, error) {
	client, err := kubeclient.New(config)
	if err != nil {
		return nil, err
	}
	served, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the Kubernetes API: %w", err)
	}
	p := &profile.Profile{Taken: metav1.NewTime(now.UTC()).Rfc3339Copy()}
	p.Name = name
	r := &reader{client: client, discovery: served, profile: p, unread: map[string]string{}}
	for _, read := range []func(context.Context) error{r.readVersion, r.readKinds, r.readServices, r.readNamespaces, r.readDefinitions} {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	for _, group := range slices.Sorted(maps.Keys(r.unread)) {
		p.Unread = append(p.Unread, profile.UnreadGroup{Group: group, Reason: r.unread[group]})
	}
	if err := p.Normalize(); err != nil {
		return nil, fmt.Errorf("the API server's responses do not form a valid profile: %w", err)
	}
	return p, nil
}

type reader struct {
	client    rest.Interface
	discovery *discovery.DiscoveryClient
	profile   *profile.Profile
	unread    map[string]string
}

func (r *reader) readVersion(ctx context.Context) error {
	info, err := r.discovery.ServerVersionWithContext(ctx)
	if err != nil {
		return failed("its version", err)
	}
	r.profile.KubernetesVersion = info.GitVersion
	return nil
}

func (r *reader) readKinds(ctx context.Context) error {
	_, lists, err := r.discovery.ServerGroupsAndResourcesWithContext(ctx)
	var partial *discovery.ErrGroupDiscoveryFailed
	switch {
	case errors.As(err, &partial):
		for version, why := range partial.Groups {
			if version.Group == "" || ctx.Err() != nil {
				return failed("the kinds of "+version.String(), why)
			}
			r.addUnread(version.Group, why.Error())
		}
	case err != nil:
		return failed("the kinds that it serves", err)
	}
	for _, list := range lists {
		if _, err := schema.ParseGroupVersion(list.GroupVersion); err != nil {
			return failed("the kinds that it serves", err)
		}
		for i := range list.APIResources {
			resource := &list.APIResources[i]
			if !strings.Contains(resource.Name, "/") { // a subresource has the kind of another resource
				r.profile.Kinds = append(r.profile.Kinds, profile.ServedKind{APIVersion: list.GroupVersion, Kind: resource.Kind, Namespaced: resource.Namespaced})
			}
		}
	}
	return nil
}

func (r *reader) addUnread(group, reason string) {
	r.unread[group] = cmp.Or(r.unread[group], strings.Join(strings.Fields(reason), " "))
}

// readServices adds the API groups of unavailable APIServices to unread, because discovery may omit
// such a group. It adds none if the user may not list APIServices.
func (r *reader) readServices(ctx context.Context) error {
	type service struct {
		Spec struct {
			Group string `json:"group"`
		} `json:"spec"`
		Status struct {
			Conditions []struct {
				Type    string `json:"type"`
				Status  string `json:"status"`
				Reason  string `json:"reason"`
				Message string `json:"message"`
			} `json:"conditions"`
		} `json:"status"`
	}
	err := list(ctx, r.client, "/apis/apiregistration.k8s.io/v1/apiservices", smallPage, func(s service) error {
		for _, condition := range s.Status.Conditions {
			if condition.Type == "Available" && condition.Status != "True" && s.Spec.Group != "" {
				r.addUnread(s.Spec.Group, cmp.Or(condition.Message, condition.Reason, "its APIService is not available"))
			}
		}
		return nil
	})
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return failed("its APIServices", err)
	}
	return nil
}

func (r *reader) readNamespaces(ctx context.Context) error {
	type namespace struct {
		Metadata struct {
			Name string `json:"name"`
		} `json:"metadata"`
	}
	err := list(ctx, r.client, "/api/v1/namespaces", smallPage, func(n namespace) error {
		r.profile.Namespaces = append(r.profile.Namespaces, n.Metadata.Name)
		return nil
	})
	if err != nil {
		return failed("its namespaces", err)
	}
	return nil
}

func failed(what string, err error) error {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return fmt.Errorf("read %s: %w; the user needs list on namespaces and on customresourcedefinitions, and the ClusterRole system:discovery", what, err)
	}
	return fmt.Errorf("read %s: %w", what, err)
}
