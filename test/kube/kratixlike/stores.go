package kratixlike

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type stores struct {
	client       client
	repositories *repositories
}

type store struct {
	repository *repository
	path       string
	object     *kratix.GitStateStore
}

var (
	errStoreNotFound  = errors.New("the state store does not exist")
	errSecretNotFound = errors.New("the state store's Secret does not exist")
	errUnsupported    = errors.New("only a GitStateStore is supported")
)

func (s *stores) of(ctx context.Context, destination *kratix.Destination) (store, error) {
	ref := destination.Spec.StateStoreRef
	if ref == nil || ref.Kind != kratix.GitStateStoreKind {
		return store{}, fmt.Errorf("%w: %s", errUnsupported, kratix.Describe(destination))
	}
	object, err := get[kratix.GitStateStore](ctx, s.client, gitStoreResource, kratix.Key{Name: ref.Name})
	if apierrors.IsNotFound(err) {
		return store{}, fmt.Errorf("%w: %s", errStoreNotFound, ref)
	}
	if err != nil {
		return store{}, err
	}
	return s.open(ctx, object)
}

func (s *stores) open(ctx context.Context, object *kratix.GitStateStore) (store, error) {
	to := remote{
		url: object.Spec.URL, branch: kratix.BranchName(object.Spec.Branch), insecure: object.Spec.Insecure,
		author: cmp.Or(object.Spec.GitAuthor.Name, "kratix"), email: cmp.Or(object.Spec.GitAuthor.Email, "kratix@example.com"),
	}
	if object.Spec.SecretRef != nil {
		secret, err := get[kratix.Secret](ctx, s.client, secretResource, object.Spec.SecretRef.Key())
		if apierrors.IsNotFound(err) {
			return store{}, fmt.Errorf("%w: %s", errSecretNotFound, object.Spec.SecretRef.Key())
		}
		if err != nil {
			return store{}, err
		}
		user, _ := secret.Value("username")
		password, _ := secret.Value("password")
		to.ca, _ = secret.Value("ca.crt")
		if user+password != "" {
			to.header = "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
		}
	}
	repository, err := s.repositories.at(ctx, to)
	return store{repository: repository, path: object.Spec.Path, object: object}, err
}

func (s *stores) reconcile(ctx context.Context, key kratix.Key) error {
	object, err := get[kratix.GitStateStore](ctx, s.client, gitStoreResource, key)
	if err != nil {
		return ignoreNotFound(err)
	}
	opened, failure := s.open(ctx, object)
	if failure == nil {
		failure = opened.repository.check(ctx)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	state, condition := "Ready", isTrue(kratix.ReadyCondition, "StateStoreReady", "the repository can be read")
	if failure != nil {
		state, condition = "NotReady", isFalse(kratix.ReadyCondition, storeReason(failure), failure.Error())
	}
	if err := s.report(ctx, object, state, condition); err != nil {
		return err
	}
	return failure
}

func storeReason(failure error) string {
	if errors.Is(failure, errSecretNotFound) {
		return "SecretNotFound"
	}
	return "ErrorInitialisingWriter"
}

func (s *stores) report(ctx context.Context, object *kratix.GitStateStore, state string, condition metav1.Condition) error {
	conditions, changed := set(object.Status.Conditions, condition)
	if !changed && object.Status.Status == state && object.Status.ObservedGeneration == object.Generation {
		return nil
	}
	return s.client.patchStatus(ctx, gitStoreResource, object, map[string]any{
		"status": state, "conditions": conditions, "observedGeneration": object.Generation,
	})
}
