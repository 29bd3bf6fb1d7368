package kratix

import (
	"bytes"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Promise is a service that a platform offers.
//
// +kubebuilder:object:generate=false
type Promise struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   PromiseSpec    `json:"spec,omitempty"`
	Status map[string]any `json:"status,omitempty"`
}

// PromiseSpec is the spec of a Promise.
//
// +kubebuilder:object:generate=false
type PromiseSpec struct {
	API                  map[string]any   `json:"api,omitempty"`
	Workflows            PromiseWorkflows `json:"workflows,omitzero"`
	RequiredPromises     []map[string]any `json:"requiredPromises,omitempty"`
	DestinationSelectors []Selector       `json:"destinationSelectors,omitempty"`
	// Dependencies are the objects that each matching Destination gets.
	Dependencies []map[string]any `json:"dependencies,omitempty"`
}

// PromiseWorkflows are a Promise's pipelines.
//
// +kubebuilder:object:generate=false
type PromiseWorkflows struct {
	Config   map[string]any  `json:"config,omitempty"`
	Promise  PromiseWorkflow `json:"promise,omitzero"`
	Resource PromiseWorkflow `json:"resource,omitzero"`
}

// PromiseWorkflow has the pipelines that run when an object is created or changed, and when it
// is deleted.
//
// +kubebuilder:object:generate=false
type PromiseWorkflow struct {
	Configure []map[string]any `json:"configure,omitempty"`
	Delete    []map[string]any `json:"delete,omitempty"`
}

// PromiseKind is the kind of a Promise.
const PromiseKind = "Promise"

// KindName returns "Promise".
func (*Promise) KindName() string { return PromiseKind }

// Selector merges the selectors of a Promise, as Kratix's work-writer does. If several selectors
// have the same label, the first value is used.
func (p *Promise) Selector() Selector {
	merged := Selector{Source: PromiseSource}
	for _, selector := range p.Spec.DestinationSelectors {
		for key, value := range selector.MatchLabels {
			if _, taken := merged.MatchLabels[key]; taken {
				continue
			}
			if merged.MatchLabels == nil {
				merged.MatchLabels = map[string]string{}
			}
			merged.MatchLabels[key] = value
		}
		merged.MatchExpressions = append(merged.MatchExpressions, selector.MatchExpressions...)
	}
	return merged
}

// Pipelines returns the names of the configure pipelines for a value of WorkTypeLabel.
func (p *Promise) Pipelines(workType string) []string {
	workflow := p.Spec.Workflows.Resource
	if workType == PromiseWorkType {
		workflow = p.Spec.Workflows.Promise
	}
	var names []string
	for _, pipeline := range workflow.Configure {
		metadata, _ := pipeline["metadata"].(map[string]any)
		if name, ok := metadata["name"].(string); ok {
			names = append(names, name)
		}
	}
	return names
}

// DependencyWork returns the Work that Kratix creates for the dependencies in the Promise's spec.
// It returns nil if there are no dependencies.
func (p *Promise) DependencyWork() (*Work, error) {
	if len(p.Spec.Dependencies) == 0 {
		return nil, nil
	}
	var content bytes.Buffer
	for i, dependency := range p.Spec.Dependencies {
		text, err := yaml.Marshal(dependency)
		if err != nil {
			return nil, fmt.Errorf("spec.dependencies[%d]: %w", i, err)
		}
		if i > 0 {
			content.WriteString("---\n")
		}
		content.Write(text)
	}
	work := NewWork()
	work.Name, work.Namespace = p.Name+"-static-dependencies", SystemNamespace
	work.Labels = map[string]string{PromiseNameLabel: p.Name, WorkTypeLabel: StaticDependencyWorkType}
	group := WorkloadGroup{
		ID: GroupID(DefaultDirectory), Directory: DefaultDirectory,
		Workloads: []Workload{{Filepath: "static/" + p.Name + "-dependencies.yaml", Content: Encode(content.Bytes())}},
	}
	if selector := p.Selector(); !selector.IsEmpty() {
		group.DestinationSelectors = []Selector{selector}
	}
	work.Spec = WorkSpec{PromiseName: p.Name, WorkloadGroups: []WorkloadGroup{group}}
	return work, nil
}
