package main

import (
	"context"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/kubeclient"
	"github.com/kratix-schedule/kratix-schedule/internal/listing"
)

const listPage = 500

type clusterRows struct{ client rest.Interface }

var _ rowSource = (*clusterRows)(nil)

func newClusterRows(api apiFlags) (*clusterRows, error) {
	config, err := api.config("--kube")
	if err != nil {
		return nil, err
	}
	client, err := kubeclient.New(config)
	if err != nil {
		return nil, err
	}
	return &clusterRows{client}, nil
}

func (r *clusterRows) list(ctx context.Context) (listing.Listing, error) {
	var objects []listing.Object
	for _, kind := range []struct{ kind, resource string }{
		{kratix.WorkPlacementKind, "workplacements"}, {kratix.WorkKind, "works"}, {kratix.DestinationKind, "destinations"},
		{kratix.GitStateStoreKind, "gitstatestores"}, {kratix.BucketStateStoreKind, "bucketstatestores"}, {kratix.OCIStateStoreKind, "ocistatestores"},
	} {
		err := r.listKind(ctx, kind.kind, kind.resource, func(o listing.Object) { objects = append(objects, o) })
		if kind.kind == kratix.OCIStateStoreKind && apierrors.IsNotFound(err) {
			continue // the CustomResourceDefinition need not be installed
		}
		if err != nil {
			return listing.Listing{}, fmt.Errorf("--kube: list %s: %w", kind.resource, err)
		}
	}
	return listing.FromCluster(objects), nil
}

func (r *clusterRows) listKind(ctx context.Context, kind, resource string, take func(listing.Object)) error {
	for next, count := "", 0; ; {
		request := r.client.Get().AbsPath("/apis/"+kratix.APIVersionOf(kind)+"/"+resource).Param("limit", strconv.Itoa(listPage))
		if next != "" {
			request = request.Param("continue", next)
		}
		body, err := request.Stream(quiet(ctx))
		if apierrors.IsResourceExpired(err) {
			return fmt.Errorf("%w; run the command again", err)
		}
		if err != nil {
			return err
		}
		next, err = listing.DecodeList(body, kind, func(o listing.Object) { count++; take(o) })
		_ = body.Close()
		switch {
		case err != nil:
			return err
		case next == "":
			return nil
		case count >= listing.MaxRows:
			return fmt.Errorf("there are more than %d", listing.MaxRows)
		}
	}
}

func (*clusterRows) problem() error { return nil }
