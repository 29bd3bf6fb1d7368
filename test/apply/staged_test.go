package apply

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	ssaerrors "github.com/fluxcd/pkg/ssa/errors"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func (c *comparison) agree() {
	const each = 4
	compared, refused := 0, 0
	for _, mutation := range Mutations {
		if mutation.Row == "size" {
			continue
		}
		m := NewMaker(c.schemas, *seed, 7)
		for i, done := 0, 0; done < each && i < 100*each; i++ {
			kinds := slices.Sorted(maps.Keys(c.accepted))
			at := kinds[m.IntN(len(kinds))]
			kind := c.schemas.Kinds[at]
			from := c.accepted[at][m.IntN(len(c.accepted[at]))]
			if !mutation.Of(kind) || !c.storable(at) || from.stored != nil {
				continue
			}
			changed := mutation.Do(m, kind, from.wanted)
			if changed == nil {
				continue
			}
			done++
			compared++
			name := fmt.Sprint("agree-", compared)
			content := c.render(changed, name)
			alone, staged := c.DryRun(c.t.Context(), content), c.ApplyAll(c.t.Context(), content)
			if (alone == nil) != (staged == nil) || Words(alone) != Words(staged) {
				c.t.Errorf("the dry run says %q, Flux %q\n%s", Words(alone), Words(staged), shorten(content))
			}
			var dry *ssaerrors.DryRunErr
			if staged != nil {
				refused++
				if !errors.As(staged, &dry) {
					c.t.Errorf("it is not the dry run that fails: %v", staged)
				}
			}
		}
	}
	c.t.Logf("%d objects, %d refused: the dry run of one object agrees with Flux's staged apply", compared, refused)
}

func (c *comparison) roots() {
	good := "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: good-%d, namespace: %s}\ndata: {a: b}\n---\n"
	for i, bad := range []string{
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: nowhere}\n",
		"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Bad_Name, namespace: default}\n",
		"apiVersion: example.net/v1\nkind: Foo\nmetadata: {name: a, namespace: default}\n",
		"apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: a, namespace: default}\n",
		"apiVersion: id.example.org/v1\nkind: Badge\nmetadata: {name: a, namespace: default}\nspec: {color: pink, code: abc}\n",
		"apiVersion: id.example.org/v1\nkind: Badge\nmetadata: {name: a, namespace: default}\nspec: {color: red, code: abc, shade: 1}\n",
		"apiVersion: open.example.org/v1alpha1\nkind: Sack\nmetadata: {name: a, namespace: default}\nlarge: " + strings.Repeat("x", 1700<<10) + "\n",
	} {
		space := fmt.Sprint("team-", i)
		root := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n---\n", space) + fmt.Sprintf(good, i, space)
		err := c.ApplyAll(c.t.Context(), []byte(root+bad))
		if err == nil {
			c.t.Errorf("Flux applies\n%s", shorten([]byte(bad)))
			continue
		}
		var dry *ssaerrors.DryRunErr
		if object := c.get("v1", "ConfigMap", space, fmt.Sprint("good-", i)); object != nil && errors.As(err, &dry) {
			c.t.Errorf("Flux has applied an object beside\n%s", bad)
		}
		said := c.destinations["profile"].Foresee(nil, []byte(bad))
		if said.Quarantined == "" {
			c.t.Errorf("it is not held back: %s\n%s", Words(err), shorten([]byte(bad)))
		}
		c.t.Logf("Flux: %s\napplycheck: %s", err, said.Words())
		if err := c.ApplyAll(c.t.Context(), []byte(root)); err != nil {
			c.t.Errorf("Flux does not apply the rest: %v", err)
		}
	}
}

func (c *comparison) removed() {
	const definition = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: toys%[1]d.gone.example.org}
spec:
  group: gone.example.org
  scope: Namespaced
  names: {plural: toys%[1]d, kind: Toy%[1]d}
  versions:
  - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
  - {name: v2, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
`
	const toy = "apiVersion: gone.example.org/%s\nkind: Toy%d\nmetadata: {name: a, namespace: default}\n"
	for i := range 4 {
		whole, version := fmt.Sprintf(definition, i), []string{"v1", "v2"}[i%2]
		object := fmt.Sprintf(toy, version, i)
		if err := c.ApplyAll(c.t.Context(), []byte(whole+"---\n"+object)); err != nil {
			c.t.Error(err)
			continue
		}
		var left string
		if i >= 2 { // this removes the storage version, which the API server refuses
			lines := strings.Split(whole, "\n")
			left = strings.Join(append(lines[:8+i%2], lines[9+i%2:]...), "\n")
			if i%2 == 0 {
				left = strings.ReplaceAll(left, "storage: false", "storage: true")
			}
		}
		refused := c.withoutDefinition(i, left, object)
		said := c.destinations["profile"].ForeseeAll(
			Claim{Stored: []byte(whole), Wanted: []byte(left)}, Claim{Stored: []byte(object), Wanted: []byte(object)})
		if refused == nil || said.Quarantined == "" {
			c.t.Errorf("%d: the API server says %v, applycheck %q", i, refused, said.Words())
		}
		c.t.Logf("Flux: %v\napplycheck: %s", refused, said.Words())
	}
}

func (c *comparison) withoutDefinition(i int, left, object string) error {
	if left != "" {
		if err := c.ApplyAll(c.t.Context(), []byte(left)); err != nil {
			return err
		}
	} else if err := c.remove("apiextensions.k8s.io/v1", "CustomResourceDefinition", fmt.Sprintf("toys%d.gone.example.org", i)); err != nil {
		return err
	}
	var err error
	for range 100 { // the API server stops serving the kind a moment later
		if err = c.ApplyAll(c.t.Context(), []byte(object)); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

func (c *comparison) get(apiVersion, kind, namespace, name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetAPIVersion(apiVersion)
	object.SetKind(kind)
	if err := c.Client.Get(c.t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		if !apierrors.IsNotFound(err) {
			c.t.Error(err)
		}
		return nil
	}
	return object
}

func (c *comparison) remove(apiVersion, kind, name string) error {
	object := c.get(apiVersion, kind, "", name)
	if err := c.Client.Delete(c.t.Context(), object); err != nil {
		return err
	}
	for range 300 {
		if c.get(apiVersion, kind, "", name) == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New(name + " is still there")
}
