package kratixlike

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/kratix-schedule/kratix-schedule/internal/kratix"
)

type destinationDir struct {
	destination *kratix.Destination
	base        string
	// placements are the placements that stay on the Destination, in mode aggregatedYAML.
	placements []*kratix.WorkPlacement
}

func baseOf(store string, destination *kratix.Destination) string {
	return relative(path.Join(store, cmp.Or(destination.Spec.Path, destination.Name)))
}

func relative(name string) string {
	return cmp.Or(strings.TrimPrefix(path.Clean("/"+name), "/"), ".")
}

func writeFiles(root *os.Root, at destinationDir, placement *kratix.WorkPlacement) error {
	switch at.destination.FilepathMode() {
	case kratix.AggregatedYAML:
		return writeAggregated(root, at)
	case kratix.None:
		return writeListed(root, at, placement)
	}
	dir := directoryOf(at, placement)
	if err := root.RemoveAll(dir); err != nil {
		return err
	}
	return writeBelow(root, dir, placement)
}

func removeFiles(root *os.Root, at destinationDir, placement *kratix.WorkPlacement) error {
	switch at.destination.FilepathMode() {
	case kratix.AggregatedYAML:
		return writeAggregated(root, at)
	case kratix.None:
		if err := removeListed(root, at, placement); err != nil {
			return err
		}
		return root.RemoveAll(listOf(at, placement))
	}
	return root.RemoveAll(directoryOf(at, placement))
}

func directoryOf(at destinationDir, placement *kratix.WorkPlacement) string {
	parts := []string{at.base, "resources", placement.Namespace, placement.Spec.PromiseName, placement.Spec.ResourceName}
	if placement.IsDependency() {
		parts = []string{at.base, "dependencies", placement.Spec.PromiseName}
	}
	return path.Join(append(parts, placement.Pipeline(), kratix.ShortID(placement.Spec.ID))...)
}

func writeBelow(root *os.Root, dir string, placement *kratix.WorkPlacement) error {
	for _, workload := range placement.Spec.Workloads {
		content, err := kratix.Decode(workload.Content)
		if err != nil {
			return err
		}
		if err := writeFile(root, path.Join(dir, workload.Filepath), content); err != nil {
			return err
		}
	}
	return nil
}

func writeAggregated(root *os.Root, at destinationDir) error {
	file := path.Join(at.base, cmp.Or(at.destination.Spec.Filepath.Filename, "aggregated.yaml"))
	var documents []string
	for _, placement := range slices.SortedFunc(slices.Values(at.placements), func(a, b *kratix.WorkPlacement) int {
		return cmp.Compare(a.Name, b.Name)
	}) {
		for _, workload := range placement.Spec.Workloads {
			content, err := kratix.Decode(workload.Content)
			if err != nil {
				return err
			}
			documents = append(documents, string(content))
		}
	}
	if len(documents) == 0 {
		return root.RemoveAll(file)
	}
	return writeFile(root, file, []byte(strings.Join(documents, "\n---\n")))
}

type fileList struct {
	Files []string `json:"files"`
}

func listOf(at destinationDir, placement *kratix.WorkPlacement) string {
	return path.Join(at.base, ".kratix", placement.Namespace+"-"+placement.Name+".yaml")
}

func writeListed(root *os.Root, at destinationDir, placement *kratix.WorkPlacement) error {
	if err := removeListed(root, at, placement); err != nil {
		return err
	}
	if err := writeBelow(root, at.base, placement); err != nil {
		return err
	}
	var written fileList
	for _, workload := range placement.Spec.Workloads {
		written.Files = append(written.Files, path.Join(at.destination.Spec.Path, workload.Filepath))
	}
	content, err := yaml.Marshal(written)
	if err != nil {
		return err
	}
	return writeFile(root, listOf(at, placement), content)
}

func removeListed(root *os.Root, at destinationDir, placement *kratix.WorkPlacement) error {
	content, err := root.ReadFile(listOf(at, placement))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var written fileList
	if err := yaml.Unmarshal(content, &written); err != nil {
		return err
	}
	for _, file := range written.Files {
		below := strings.TrimPrefix(relative(file), relative(at.destination.Spec.Path)+"/")
		if err := root.RemoveAll(path.Join(at.base, below)); err != nil {
			return err
		}
	}
	return nil
}

func writeFile(root *os.Root, name string, content []byte) error {
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return err
	}
	return root.WriteFile(name, content, 0o644)
}
