package kratixlike

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

// ServiceAccount is the name of the ServiceAccount of Kratix's manager. User is its user name at
// the API server.
const (
	ServiceAccount = "kratix-platform-controller-manager"
	User           = "system:serviceaccount:" + kratix.SystemNamespace + ":" + ServiceAccount
)

const access = `apiVersion: v1
kind: Namespace
metadata: {name: ` + kratix.SystemNamespace + `}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: ` + ServiceAccount + `, namespace: ` + kratix.SystemNamespace + `}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: kratix-platform-manager-role}
rules:
- {apiGroups: [platform.kratix.io], resources: ["*"], verbs: ["*"]}
- {apiGroups: [""], resources: [secrets], verbs: [get, list, watch]}
- {apiGroups: ["", events.k8s.io], resources: [events], verbs: [create, patch]}
- {apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get, list, watch, create, update, patch, delete]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: kratix-platform-manager-rolebinding}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: kratix-platform-manager-role}
subjects:
- {kind: ServiceAccount, name: ` + ServiceAccount + `, namespace: ` + kratix.SystemNamespace + `}
`

// Grant creates the namespace, the ServiceAccount and the roles of Kratix's manager with the given
// configuration. It returns a configuration with a token of the ServiceAccount.
func Grant(ctx context.Context, admin *rest.Config) (*rest.Config, error) {
	d, err := dynamic.NewForConfig(admin)
	if err != nil {
		return nil, err
	}
	documents := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(access)), len(access))
	for {
		var object unstructured.Unstructured
		if err := documents.Decode(&object); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		resource, _ := meta.UnsafeGuessKindToResource(object.GroupVersionKind())
		_, err := d.Resource(resource).Namespace(object.GetNamespace()).
			Apply(ctx, object.GetName(), &object, metav1.ApplyOptions{FieldManager: "test", Force: true})
		if err != nil {
			return nil, fmt.Errorf("apply %s %s: %w", object.GetKind(), object.GetName(), err)
		}
	}
	token, err := requestToken(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("request a token of %s: %w", User, err)
	}
	config := rest.AnonymousClientConfig(admin)
	config.BearerToken = token
	return config, nil
}

func requestToken(ctx context.Context, d dynamic.Interface) (string, error) {
	const twoHours = 2 * 60 * 60
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
		"metadata": map[string]any{"name": ServiceAccount},
		"spec":     map[string]any{"expirationSeconds": int64(twoHours)},
	}}
	answer, err := d.Resource(schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}).Namespace(kratix.SystemNamespace).
		Create(ctx, request, metav1.CreateOptions{}, "token")
	if err != nil {
		return "", err
	}
	token, _, err := unstructured.NestedString(answer.Object, "status", "token")
	return token, err
}
