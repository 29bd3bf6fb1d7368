package discover

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/applycheck/profile"
)

// The limits of responses. smallPage and largePage are numbers of small and of large objects in a
// page.
const (
	smallPage = 500
	largePage = 20
	maxItems  = 100_000
	maxPage   = 64 << 20
)

func list[T any](ctx context.Context, client rest.Interface, path string, page int, take func(T) error) error {
	for next, items := "", 0; ; {
		var found struct {
			Metadata struct {
				Continue string `json:"continue"`
			} `json:"metadata"`
			Items []T `json:"items"`
		}
		request := client.Get().AbsPath(path).Param("limit", strconv.Itoa(page))
		if next != "" {
			request = request.Param("continue", next)
		}
		text, err := read(ctx, request)
		if apierrors.IsResourceExpired(err) {
			return fmt.Errorf("%w; run the command again", err)
		}
		if err == nil {
			err = json.Unmarshal(text, &found)
		}
		if err != nil {
			return err
		}
		if items += len(found.Items); items > maxItems {
			return fmt.Errorf("there are more than the %d objects that are read", maxItems)
		}
		for _, item := range found.Items {
			if err := take(item); err != nil {
				return err
			}
		}
		if found.Metadata.Continue == "" {
			return nil
		}
		if found.Metadata.Continue == next || len(found.Items) == 0 {
			return fmt.Errorf("the API server's pages do not end")
		}
		next = found.Metadata.Continue
	}
}

func read(ctx context.Context, request *rest.Request) ([]byte, error) {
	stream, err := request.Stream(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	text, err := io.ReadAll(io.LimitReader(stream, maxPage+1))
	if err == nil && len(text) > maxPage {
		err = fmt.Errorf("a response has more than the %d MiB that are read", maxPage>>20)
	}
	return text, err
}

// readDefinitions reads the CustomResourceDefinitions, without those whose names another definition
// has taken.
func (r *reader) readDefinitions(ctx context.Context) error {
	size := 0
	err := list(ctx, r.client, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", largePage, func(crd apiextensionsv1.CustomResourceDefinition) error {
		for _, condition := range crd.Status.Conditions {
			if condition.Type == apiextensionsv1.NamesAccepted && condition.Status == apiextensionsv1.ConditionFalse {
				return nil
			}
		}
		made, err := profile.NewDefinition(&crd)
		if err != nil {
			return fmt.Errorf("%s: %w", crd.Name, err)
		}
		if size += made.Spec.Size(); size > profile.MaxSize {
			return fmt.Errorf("all together have more than %d MiB without their descriptions", profile.MaxSize>>20)
		}
		r.profile.Definitions = append(r.profile.Definitions, made)
		return nil
	})
	if err != nil {
		return failed("its CustomResourceDefinitions", err)
	}
	return nil
}
