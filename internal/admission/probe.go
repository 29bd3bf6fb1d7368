package admission

import (
	"context"
	"encoding/json"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type answer struct {
	is      kind
	message string
}

type kind uint8

const (
	// untried means that there was no dry run, or that its result does not depend on the policy.
	untried kind = iota
	allowed
	denied
	// unentitled means that no role of the ServiceAccount allows the request.
	unentitled
	// unanswered means that the API server did not decide about the request.
	unanswered
)

// probe begins the name of a WorkPlacement that is created in a dry run, and is the name of its
// Destination.
const probe = "kratix-schedule-probe"

func (c *Check) create(ctx context.Context, client rest.Interface) answer {
	body := map[string]any{
		"apiVersion": kratix.APIVersion, "kind": kratix.WorkPlacementKind,
		"metadata": map[string]any{"generateName": probe + "-", "namespace": c.account.Namespace},
		"spec": map[string]any{
			"targetDestinationName": probe, "promiseName": probe, "resourceName": probe, "id": kratix.GroupID("."), "workloads": []any{},
		},
	}
	return c.dryRun(ctx, client.Post().AbsPath(c.placements()).SetHeader("Content-Type", runtime.ContentTypeJSON), body)
}

// change tries to change the spec of an existing WorkPlacement in a dry run, as the ServiceAccount.
func (c *Check) change(ctx context.Context) answer {
	var found metav1.PartialObjectMetadataList
	err := get(ctx, c.self.Get().AbsPath(c.placements()).Param("limit", "1").
		SetHeader("Accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"), &found)
	if err != nil || len(found.Items) == 0 {
		return answer{}
	}
	patch := map[string]any{"spec": map[string]any{"targetDestinationName": probe}}
	return c.dryRun(ctx, c.other.Patch(types.MergePatchType).AbsPath(c.placements(), found.Items[0].Name), patch)
}

func (c *Check) placements() string {
	return "/apis/" + kratix.APIVersion + "/namespaces/" + c.account.Namespace + "/workplacements"
}

func (c *Check) dryRun(ctx context.Context, call *rest.Request, body any) answer {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{untried, err.Error()}
	}
	err = call.Param("dryRun", "All").MaxRetries(0).Body(text).Do(ctx).Error()
	switch {
	case err == nil, apierrors.IsAlreadyExists(err), apierrors.IsConflict(err):
		return answer{is: allowed}
	case !isAnswer(err):
		return answer{unanswered, err.Error()}
	case strings.Contains(err.Error(), " denied request: "), strings.Contains(err.Error(), " denied the request"):
		return answer{denied, err.Error()} // by an admission policy or webhook
	case apierrors.IsForbidden(err) && strings.Contains(err.Error(), `User "`+c.account.Username()+`" cannot `):
		return answer{unentitled, err.Error()}
	}
	return answer{untried, err.Error()}
}

func list[O any](ctx context.Context, client rest.Interface, resource string) ([]O, error) {
	var found struct {
		Items []O `json:"items"`
	}
	err := get(ctx, client.Get().AbsPath("/apis/admissionregistration.k8s.io/v1", resource), &found)
	return found.Items, err
}

func get(ctx context.Context, call *rest.Request, into any) error {
	result := call.MaxRetries(0).Do(ctx)
	if err := result.Error(); err != nil {
		return err
	}
	text, err := result.Raw()
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
