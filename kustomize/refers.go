package kustomize

import (
	"fmt"
	"slices"

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
	// failed gets the first error of each file, by its number.
	failed map[int]error
}

type referring struct {
	file    int
	content []byte
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

func (f *follower) add(file int, content []byte) {
	schema.RLock()
	found, err := resources(content)
	schema.RUnlock()
	if err != nil {
		return // told of already
	}
	for _, res := range found {
		if !Refers(res.GetKind()) {
			continue
		}
		id := objectOf(res, 1).ID
		if f.ids[id] || len(f.objects) == followedAtOnce {
			f.build()
		}
		text, err := res.RNode.String()
		if err != nil {
			continue
		}
		f.ids[id] = true
		f.objects = append(f.objects, referring{file, []byte(text)})
	}
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
	f.objects, f.ids = nil, map[ID]bool{}
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
	found, err := resources(content)
	if err != nil {
		return nil, err
	}
	if position < 0 || position >= len(found) {
		return nil, fmt.Errorf("it has %d objects, and none at %d", len(found), position)
	}
	text, err := found[position].RNode.String()
	return []byte(text), err
}
