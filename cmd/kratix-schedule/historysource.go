package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
	"github.com/kratix-schedule/kratix-schedule/internal/kubeclient"
	"github.com/kratix-schedule/kratix-schedule/source"
)

// maxStores is the maximum size in bytes of the list of state stores, and of a Secret.
const maxStores = 16 << 20

func (f *historyFlags) snapshot(c *cobra.Command, std streams) (source.Snapshot, error) {
	if f.kube {
		return kubeStores(c.Context(), f.api)
	}
	in, err := f.input.source(c, std)
	if err != nil {
		return source.Snapshot{}, err
	}
	snapshot, err := in.Snapshot(c.Context())
	return snapshot, inputError(err)
}

func kubeStores(ctx context.Context, api apiFlags) (source.Snapshot, error) {
	config, err := api.config("--kube")
	if err != nil {
		return source.Snapshot{}, err
	}
	client, err := kubeclient.New(config)
	if err != nil {
		return source.Snapshot{}, err
	}
	var documents bytes.Buffer
	secrets := map[kratix.Key]bool{}
	for _, kind := range append(kratix.StateStoreKinds(), kratix.DestinationKind) {
		items, err := listAll(ctx, client, kind)
		if err != nil {
			return source.Snapshot{}, err
		}
		for _, item := range items {
			documents.WriteString("---\n" + string(item) + "\n")
			var store struct {
				Spec struct {
					SecretRef *kratix.SecretReference `json:"secretRef"`
				} `json:"spec"`
			}
			if json.Unmarshal(item, &store) == nil && store.Spec.SecretRef != nil {
				secrets[store.Spec.SecretRef.Key()] = true
			}
		}
	}
	for key := range secrets {
		if len(validation.IsDNS1123Subdomain(key.Name)) > 0 || len(validation.IsDNS1123Label(key.Namespace)) > 0 {
			continue // no such Secret can exist, and the name could be a path in a URL
		}
		text, err := readBounded(ctx, client.Get().AbsPath("/api/v1/namespaces/"+key.Namespace+"/secrets/"+key.Name))
		if apierrors.IsNotFound(err) {
			continue // opening the store returns the error
		}
		if err != nil {
			return source.Snapshot{}, fmt.Errorf("--kube: read Secret %s: %w", key, err)
		}
		documents.WriteString("---\n" + string(text) + "\n")
	}
	return source.Collect([]source.File{{Name: "cluster", Content: documents.Bytes()}}), nil
}

func listAll(ctx context.Context, client rest.Interface, kind string) ([]json.RawMessage, error) {
	resource := strings.ToLower(kind) + "s"
	var list struct {
		Items []json.RawMessage `json:"items"`
	}
	text, err := readBounded(ctx, client.Get().AbsPath("/apis/"+kratix.APIVersionOf(kind)+"/"+resource))
	if kind == kratix.OCIStateStoreKind && apierrors.IsNotFound(err) {
		return nil, nil // the CustomResourceDefinition need not be installed
	}
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		return nil, fmt.Errorf("--kube: list %s: %w", resource, err)
	}
	return list.Items, nil
}

func readBounded(ctx context.Context, request *rest.Request) ([]byte, error) {
	body, err := request.Stream(quiet(ctx))
	if err != nil {
		return nil, err
	}
	defer body.Close()
	text, err := io.ReadAll(io.LimitReader(body, maxStores+1))
	if err == nil && len(text) > maxStores {
		err = fmt.Errorf("it has more than %d MiB", maxStores>>20)
	}
	return text, err
}
