// Package apply compares the results of package applycheck with those of a real API server. It is a
// separate module, so that the program does not depend on Flux.
package apply

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	ssaerrors "github.com/fluxcd/pkg/ssa/errors"
	"github.com/fluxcd/pkg/ssa/normalize"
	"github.com/fluxcd/pkg/ssa/utils"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const manager = "kustomize-controller"

// Judge applies objects to an API server as Flux's kustomize-controller does.
type Judge struct {
	Config *rest.Config
	Client client.Client
	flux   *ssa.ResourceManager
}

// NewJudge returns a Judge for the API server of a kubeconfig.
func NewJudge(kubeconfig string) (*Judge, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.WarningHandler = rest.NoWarnings{}
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, err
	}
	poller := polling.NewStatusPoller(c, c.RESTMapper(), polling.Options{})
	return &Judge{Config: config, Client: c, flux: ssa.NewResourceManager(c, poller, ssa.Owner{Field: manager, Group: "kustomize.toolkit.fluxcd.io"})}, nil
}

// Decode decodes and normalizes the objects in YAML as kustomize-controller does.
func Decode(content []byte) ([]*unstructured.Unstructured, error) {
	objects, err := utils.ReadObjects(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return objects, normalize.UnstructuredList(objects)
}

// ApplyAll applies all objects of a root in stages, as kustomize-controller does.
func (j *Judge) ApplyAll(ctx context.Context, content []byte) error {
	objects, err := Decode(content)
	if err != nil {
		return err
	}
	_, err = j.flux.ApplyAllStaged(ctx, objects, options())
	return err
}

func options() ssa.ApplyOptions {
	const group = "kustomize.toolkit.fluxcd.io"
	opts := ssa.DefaultApplyOptions()
	opts.WaitInterval = 50 * time.Millisecond
	opts.ExclusionSelector = map[string]string{group + "/reconcile": "disabled", group + "/ssa": "Ignore"}
	opts.IfNotPresentSelector = map[string]string{group + "/ssa": "IfNotPresent"}
	opts.ForceSelector = map[string]string{group + "/force": "enabled"}
	update, apply := metav1.ManagedFieldsOperationUpdate, metav1.ManagedFieldsOperationApply
	opts.Cleanup = ssa.ApplyCleanupOptions{
		Annotations: []string{"kubectl.kubernetes.io/last-applied-configuration", "kustomize.toolkit.fluxcd.io/checksum", "fluxcd.io/sync-checksum"},
		Labels:      []string{"fluxcd.io/sync-gc-mark"},
		FieldManagers: []ssa.FieldManager{
			{Name: "kubectl", OperationType: apply}, {Name: "kubectl", OperationType: update},
			{Name: "before-first-apply", OperationType: update}, {Name: manager, OperationType: update},
		},
		Exclusions: map[string]string{group + "/ssa": "Merge"},
	}
	return opts
}

// DryRun applies the objects of a file in a dry run, and returns the first error.
func (j *Judge) DryRun(ctx context.Context, content []byte) error {
	objects, err := Decode(content)
	if err != nil {
		return err
	}
	for _, object := range objects {
		utils.RemoveCABundleFromCRD(object)
		if err := j.Client.Patch(ctx, object, client.Apply, client.DryRunAll, client.ForceOwnership, client.FieldOwner(manager)); err != nil { //nolint:staticcheck // as Flux's library does
			return err
		}
	}
	return nil
}

// Apply applies the objects of a file, and returns the first error.
func (j *Judge) Apply(ctx context.Context, content []byte) error {
	objects, err := Decode(content)
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := j.Client.Patch(ctx, object, client.Apply, client.ForceOwnership, client.FieldOwner(manager)); err != nil { //nolint:staticcheck // as Flux's library does
			return err
		}
	}
	return nil
}

// Words returns the message of the API server in an error of DryRun or ApplyAll.
func Words(err error) string {
	var dry *ssaerrors.DryRunErr
	if errors.As(err, &dry) {
		err = dry.Unwrap()
	}
	return strings.Join(strings.Fields(fmt.Sprint(err)), " ")
}
