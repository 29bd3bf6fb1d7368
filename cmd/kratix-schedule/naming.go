package main

import (
	"bytes"
	"maps"
	"regexp"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type naming struct {
	suffix string
	// beside means that the other request is in the same namespace.
	beside bool
}

func unpacked(work *kratix.Work) ([][][]byte, error) {
	var groups [][][]byte
	for _, group := range work.Spec.WorkloadGroups {
		var files [][]byte
		for _, workload := range group.Workloads {
			content, err := kratix.Decode(workload.Content)
			if err != nil {
				return nil, err
			}
			files = append(files, content)
		}
		groups = append(groups, files)
	}
	return groups, nil
}

// apply returns the Work of the other request. files are the unpacked files of work.
func (n naming) apply(work *kratix.Work, files [][][]byte) *kratix.Work {
	other := *work
	other.Name += n.suffix
	if !n.beside {
		other.Namespace += n.suffix
	}
	other.Spec.ResourceName += n.suffix
	other.UID = ""
	other.Labels = map[string]string{}
	maps.Copy(other.Labels, work.Labels)
	other.Labels[kratix.ResourceNameLabel] = other.Spec.ResourceName
	other.Labels[kratix.ResourceNamespaceLabel] = other.Namespace
	rename := n.renamer(work)
	other.Spec.WorkloadGroups = nil
	for i, group := range work.Spec.WorkloadGroups {
		var workloads []kratix.Workload
		for j, workload := range group.Workloads {
			workload.Content = kratix.Encode(rename(files[i][j]))
			workloads = append(workloads, workload)
		}
		group.Workloads = workloads
		other.Spec.WorkloadGroups = append(other.Spec.WorkloadGroups, group)
	}
	return &other
}

func (n naming) renamer(work *kratix.Work) func([]byte) []byte {
	const key = "namespace:"
	name, namespace := []byte(work.Spec.ResourceName), []byte(work.Namespace)
	either := regexp.MustCompile(`(?m)\b` + key + `[ \t]*["']?` + regexp.QuoteMeta(work.Namespace) + `["']?[ \t\r]*$` +
		`|[A-Za-z0-9]*` + regexp.QuoteMeta(work.Spec.ResourceName) + `[A-Za-z0-9]*`)
	return func(content []byte) []byte {
		return either.ReplaceAllFunc(content, func(found []byte) []byte {
			value, isNamespace := bytes.CutPrefix(found, []byte(key))
			switch {
			case isNamespace && n.beside:
				return found
			case isNamespace:
				return append([]byte(key), bytes.Replace(value, namespace, n.other(namespace), 1)...)
			case bytes.Equal(found, name):
				return n.other(name)
			}
			return found
		})
	}
}

func (n naming) other(name []byte) []byte { return append(bytes.Clone(name), n.suffix...) }
