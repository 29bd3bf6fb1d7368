package reconcile

import (
	"strings"
	"testing"

	"github.com/kratix-schedule/kratix-schedule/applycheck"
	"github.com/kratix-schedule/kratix-schedule/internal/report"
	"github.com/kratix-schedule/kratix-schedule/scheduler"
)

func colours(values string) string {
	return `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: paints.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: paints, singular: paint, kind: Paint, listKind: PaintList}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object, properties: {colour: {type: string, enum: ` + values + `}}}
`
}

func TestRequestGoesWhereTheAPIServerAcceptsIt(t *testing.T) {
	const (
		class = "apiVersion: resource.k8s.io/v1\nkind: DeviceClass\nmetadata: {name: gpu}\nspec: {}\n"
		paint = "apiVersion: example.com/v1\nkind: Paint\nmetadata: {name: wall, namespace: default}\nspec: {colour: red}\n"
		held  = ""
	)
	for _, test := range []struct {
		name, file            string
		versions, definitions [2]string
		// want is a Destination, or empty if the request is held back.
		want, rule string
	}{
		{"kind of a newer minor", class, [2]string{"1.33", "1.36"}, [2]string{}, "worker-2", ""},
		{"kind of a newer minor, the other way around", class, [2]string{"1.36", "1.33"}, [2]string{}, "worker-1", ""},
		{"value of another definition", paint, [2]string{"1.36", "1.36"}, [2]string{colours("[blue]"), colours("[red]")}, "worker-2", ""},
		{"value of another definition, the other way around", paint, [2]string{"1.36", "1.36"}, [2]string{colours("[red]"), colours("[blue]")}, "worker-1", ""},
		{"fault everywhere", configMap("one", "data: {a: 1}"), [2]string{"1.36", "1.35"}, [2]string{}, held, "KS104"},
		{"fault by itself", configMap("One", "data: {}"), [2]string{"1.36", ""}, [2]string{}, held, "KS106"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newEnv(t)
			w.policy.CheckApply = applycheck.Quarantine
			w.addDestination("worker-2", "worker-2")
			for i, d := range w.snapshot.Destinations {
				if test.versions[i] != "" {
					d.Annotations = map[string]string{scheduler.KubernetesVersionAnnotation: test.versions[i]}
				}
				if test.definitions[i] != "" {
					w.write(map[string]string{d.Spec.Path + "/dependencies/crd.yaml": test.definitions[i]})
				}
			}
			w.putFiles("a", map[string]string{"a.yaml": test.file})
			for range 2 {
				r := w.round()
				if len(r.Placements) != 1 {
					t.Fatalf("placements %v, findings %v", r.Placements, r.Findings)
				}
				p := r.Placements[0]
				if got := strings.Join(rules(r), " "); got != test.rule || (p.State == report.HeldBack) != (test.want == held) {
					t.Errorf("findings %s, placement %+v", got, p)
				}
				if test.want != held && p.Destination != test.want {
					t.Errorf("it is on %s, want %s", p.Destination, test.want)
				}
			}
		})
	}
}

func TestRefusedRequestIsNotMovedWhereItMayBeRefused(t *testing.T) {
	for _, known := range []string{"worker-1", "worker-2"} {
		w := newEnv(t)
		w.policy.CheckApply = applycheck.Quarantine
		w.addDestination("worker-2", "worker-2")
		for _, d := range w.snapshot.Destinations {
			if d.Name == known {
				d.Annotations = map[string]string{scheduler.KubernetesVersionAnnotation: "1.36"}
			}
		}
		w.putFiles("a", map[string]string{"a.yaml": configMap("one", "data: {a: 1}")})
		p := w.round().Placements[0]
		if (p.State == report.HeldBack) != (p.Destination == known) {
			t.Errorf("with the version of %s known, it is %s on %s", known, p.State, p.Destination)
		}
	}
}
