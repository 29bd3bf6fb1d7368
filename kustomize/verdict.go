package kustomize

import (
	"errors"
	"slices"

	"github.com/kratix-schedule/kratix-schedule/tree"
)

// Verdict is what Flux would say of a directory.
type Verdict struct {
	// Err is what it says; nil when the directory builds.
	Err error
	// Unit is the file, or the directory with a kustomization of its own, that
	// it stops at, relative to the root; nothing when it names none.
	Unit tree.Path
	// First is where the object of a clash was before.
	First tree.Path
	// Object is the object of a clash; nothing when there is none.
	Object ID
}

// errClash stands for the words of kustomize about a clash.
var errClash = errors.New("may not add resource with an already registered id")

// Judge says what Flux would say of the directory root with these files in it,
// whose paths are relative to it, in Flux's own words. Files that Flux does not
// fetch (see Ignore) must be left out before. Its cost grows with the size of
// the files, not with its square: kustomize itself builds only directories that
// have a kustomization of their own, kinds whose references it follows, and
// what shows a clash.
func Judge(root tree.Path, files []tree.File) Verdict {
	j := judge{root: root, files: sorted(files), units: Units(files), ids: map[ID]int{}}
	if len(j.units) > 0 && j.units[0].Nested && j.units[0].Path.IsRoot() {
		return j.trusted()
	}
	if verdict := j.decode(); verdict.Err != nil {
		return verdict
	}
	if verdict := j.merge(); verdict.Err != nil {
		return verdict
	}
	return j.references()
}

// Nested gives what a directory with a kustomization of its own adds to a root
// that Flux builds. The kustomization can load only the unit's own files.
func Nested(root tree.Path, unit Unit) ([]Object, error) {
	objects, err := nestedObjects(root, unit.Path, unit.Files)
	if err == nil || errors.Is(err, ErrRemote) {
		return objects, err
	}
	return nil, buildUnits(root, []Unit{unit}, unit.Files)
}

type judge struct {
	root  tree.Path
	files []tree.File
	units []Unit
	// objects has the objects of each unit that is a file.
	objects [][]Object
	// ids gives the unit that has an object.
	ids map[ID]int
}

// decode reads every file, as Flux does before it builds anything.
func (j *judge) decode() Verdict {
	j.objects = make([][]Object, len(j.units))
	var cache Cache
	cache.Load(j.contents())
	for i, unit := range j.units {
		if unit.Nested {
			continue
		}
		objects, err := cache.Objects(unit.Files[0].Content)
		if err != nil {
			return Verdict{Err: j.undecodable(unit, err), Unit: unit.Path}
		}
		j.objects[i] = objects
	}
	return Verdict{}
}

// contents gives the files that are no part of a kustomization.
func (j *judge) contents() [][]byte {
	var contents [][]byte
	for _, unit := range j.units {
		if !unit.Nested {
			contents = append(contents, unit.Files[0].Content)
		}
	}
	return contents
}

// undecodable gives Flux's words about a file that cannot be read.
func (j *judge) undecodable(unit Unit, err error) error {
	if flux := decodable(j.root, unit.Files); flux != nil {
		return flux
	}
	return err
}

// merge adds one unit after the other, as kustomize does, and stops where it
// would.
func (j *judge) merge() Verdict {
	for i, unit := range j.units {
		if unit.Nested {
			objects, err := nestedObjects(j.root, unit.Path, j.files)
			if errors.Is(err, errLate) {
				return Verdict{Err: j.build(func(int) bool { return true })}
			}
			if err != nil {
				return j.stop(i, i, ID{}, err)
			}
			j.objects[i] = objects
		}
		if first, id, clash := j.add(i); clash {
			return j.stop(first, i, id, errClash)
		}
	}
	return Verdict{}
}

// add puts the objects of a unit into the index. kustomize first looks for
// clashes within a unit, then for those with the units before.
func (j *judge) add(i int) (first int, id ID, clash bool) {
	own := make(map[ID]struct{}, len(j.objects[i]))
	for _, object := range j.objects[i] {
		if _, twice := own[object.ID]; twice {
			return i, object.ID, true
		}
		own[object.ID] = struct{}{}
	}
	for _, object := range j.objects[i] {
		if before, taken := j.ids[object.ID]; taken {
			return before, object.ID, true
		}
	}
	for _, object := range j.objects[i] {
		j.ids[object.ID] = i
	}
	return 0, ID{}, false
}

// stop asks kustomize for its words about what it stops at: two units, and the
// directories before them, which may matter too.
func (j *judge) stop(first, at int, id ID, why error) Verdict {
	verdict := Verdict{Unit: j.units[at].Path, Object: id}
	if errors.Is(why, errClash) {
		verdict.First = j.units[first].Path
	}
	verdict.Err = j.build(func(i int) bool { return i <= at && (i == first || i == at || j.units[i].Nested) })
	if verdict.Err == nil {
		verdict.Err = why // never seen; the verdict stays right without the words
	}
	return verdict
}

// referenceBatch is how many files are built at once to follow references:
// enough to spread the cost of a build, few enough for its square.
const referenceBatch = 64

// references has kustomize follow the references between objects, which it does
// at the end and only for some kinds; objects that are not made as these kinds
// are make it fail.
func (j *judge) references() Verdict {
	nested := slices.ContainsFunc(j.units, func(u Unit) bool { return u.Nested })
	var referring []int
	for i := range j.units {
		if !j.units[i].Nested && slices.ContainsFunc(j.objects[i], func(o Object) bool { return refers(o.ID.Kind) }) {
			referring = append(referring, i)
		}
	}
	if nested {
		// Only what a kustomization renames can be referred to, so it takes
		// part in every build.
		err := j.build(func(i int) bool {
			_, found := slices.BinarySearch(referring, i)
			return found || j.units[i].Nested
		})
		return Verdict{Err: err}
	}
	for batch := range slices.Chunk(referring, referenceBatch) {
		if verdict := j.referencesOf(batch); verdict.Err != nil {
			return verdict
		}
	}
	return Verdict{}
}

func (j *judge) referencesOf(batch []int) Verdict {
	of := func(some []int) error {
		return j.build(func(i int) bool { return slices.Contains(some, i) })
	}
	err := of(batch)
	if err == nil {
		return Verdict{}
	}
	for _, i := range batch {
		if err := of([]int{i}); err != nil {
			return Verdict{Err: err, Unit: j.units[i].Path}
		}
	}
	return Verdict{Err: err}
}

// build builds some of the units alone.
func (j *judge) build(with func(int) bool) error {
	var some []Unit
	nested := false
	for i, unit := range j.units {
		if with(i) {
			some = append(some, unit)
			nested = nested || unit.Nested
		}
	}
	return buildUnits(j.root, some, j.layout(some, nested))
}

// layout gives the files a build needs: a directory's kustomization may load
// any file below the root.
func (j *judge) layout(units []Unit, nested bool) []tree.File {
	if nested {
		return j.files
	}
	var files []tree.File
	for _, unit := range units {
		files = append(files, unit.Files...)
	}
	return files
}

// trusted judges a root with a kustomization of its own: Flux builds that and
// looks at nothing else.
func (j *judge) trusted() Verdict { return Verdict{Err: buildTrusted(j.root, j.files)} }

// refers tells whether kustomize follows references of objects of a kind.
func refers(kind string) bool {
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
