package kustomize

import (
	"errors"
	"fmt"
	"slices"

	"sigs.k8s.io/kustomize/api/resource"
	"sigs.k8s.io/kustomize/kyaml/yaml"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Refers tells whether kustomize follows references of objects of a kind. It
// does so at the end of a build, which fails on one that is not made as the
// kind should be.
func Refers(kind string) bool {
	_, found := slices.BinarySearch(referringKinds, kind)
	return found
}

// referringKinds are the kinds for which kustomize has a rule where a name of
// another object may stand, in order.
var referringKinds = []string{ //nolint:gochecknoglobals // a table
	"APIService", "ClusterRole", "ClusterRoleBinding", "CronJob", "DaemonSet", "Deployment", "HorizontalPodAutoscaler",
	"Ingress", "Job", "MutatingWebhookConfiguration", "Node", "PersistentVolume", "PersistentVolumeClaim", "Pod",
	"PodTemplate", "ReplicaSet", "ReplicationController", "Role", "RoleBinding", "Service", "ServiceAccount",
	"StatefulSet", "StorageClass", "ValidatingAdmissionPolicyBinding", "ValidatingWebhookConfiguration",
}

// follower has kustomize follow the references of single objects, some of them
// in one build: enough to spread the cost of a build, few enough for its square.
type follower struct {
	objects []referring
	ids     map[ID]bool
	// nodes are those of the objects.
	nodes int
	// failed gets the first error of each file, by its number.
	failed map[int]error
}

type referring struct {
	file    int
	content []byte
	id      ID
	nodes   int
}

const followedAtOnce = 64

// follow gives, by number, the files on whose references kustomize fails. Each
// object is looked at apart from the others: without a directory that has a
// kustomization, nothing is renamed that could be referred to.
func follow(files [][]byte) map[int]error {
	f := &follower{ids: map[ID]bool{}, failed: map[int]error{}}
	for i, content := range files {
		f.add(i, content)
	}
	f.build()
	return f.failed
}

// maxFollowed bounds the nodes of an object whose references are followed: a build
// has it in memory several times.
const maxFollowed = 60_000

func (f *follower) add(file int, content []byte) {
	schema.RLock()
	referring, err := referringIn(content, file)
	schema.RUnlock()
	switch {
	case errors.Is(err, ErrLimit):
		f.failed[file] = err
		return
	case err != nil:
		return // told of already
	}
	for _, object := range referring {
		if f.ids[object.id] || len(f.objects) == followedAtOnce || f.nodes+object.nodes > maxFollowed {
			f.build()
		}
		f.ids[object.id] = true
		f.objects, f.nodes = append(f.objects, object), f.nodes+object.nodes
	}
}

// referringIn returns the objects of a file that refer to others.
func referringIn(content []byte, file int) (found []referring, err error) {
	err = eachResource(content, func(res *resource.Resource, _ int) error {
		if !Refers(res.GetKind()) {
			return nil
		}
		nodes := countNodes(res.YNode())
		if nodes > maxFollowed {
			return fmt.Errorf("%w: it has %d values in a %s; %d are read", ErrLimit, nodes, res.GetKind(), maxFollowed)
		}
		text, err := res.RNode.String()
		if err != nil {
			return nil //nolint:nilerr // kustomize could not write it out either, and says so
		}
		found = append(found, referring{file: file, content: []byte(text), id: objectOf(res, 1).ID, nodes: nodes})
		return nil
	})
	return found, err
}

func countNodes(node *yaml.Node) int {
	count := 1
	for _, child := range node.Content {
		count += countNodes(child)
	}
	return count
}

func (f *follower) build() {
	if buildAlone(f.objects...) != nil {
		for _, object := range f.objects {
			if _, failed := f.failed[object.file]; failed {
				continue
			}
			if err := buildAlone(object); err != nil {
				f.failed[object.file] = err
			}
		}
	}
	f.objects, f.ids, f.nodes = nil, map[ID]bool{}, 0
}

// buildAlone builds objects, each in a file of its own.
func buildAlone(objects ...referring) error {
	var files []tree.File
	var paths []tree.Path
	for i, object := range objects {
		path, err := tree.ParsePath(fmt.Sprintf("%d.yaml", i))
		if err != nil {
			return err
		}
		paths = append(paths, path)
		files = append(files, tree.File{Path: path, Content: object.content})
	}
	return BuildUnits(tree.Path{}, paths, files)
}

// Single gives a file with just one of a file's Objects, by its position among
// them: enough for what kustomize says of it.
func Single(content []byte, position int) ([]byte, error) {
	schema.RLock()
	defer schema.RUnlock()
	var text string
	at := 0
	err := eachResource(content, func(res *resource.Resource, _ int) (err error) {
		if at == position {
			text, err = res.RNode.String()
		}
		at++
		return err
	})
	if err == nil && (position < 0 || position >= at) {
		err = fmt.Errorf("it has %d objects, and none at %d", at, position)
	}
	return []byte(text), err
}
