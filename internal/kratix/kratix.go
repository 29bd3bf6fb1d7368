// Package kratix turns YAML into the objects of platform.kratix.io/v1alpha1
// that placing and writing Works is about, exactly as Kratix has them, and
// back. It does no I/O.
//
// +kubebuilder:object:generate=true
// +kubebuilder:validation:Optional
package kratix

// The Kubernetes client copies objects by methods that are made from the types.
//go:generate go tool -modfile=../../go.tool.mod controller-gen object paths=.

import (
	"cmp"
	"crypto/md5" //nolint:gosec // Kratix defines a group's id as this hash; it protects nothing.
	"encoding/hex"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Group is the API group of every kind of Kratix here.
const Group = "platform.kratix.io"

// APIVersion is the group and version of every kind of Kratix here.
const APIVersion = Group + "/v1alpha1"

// SystemNamespace is where Kratix keeps the Works of Promises.
const SystemNamespace = "kratix-platform-system"

// The labels of Works and WorkPlacements.
const (
	PromiseNameLabel       = "kratix.io/promise-name"
	ResourceNameLabel      = "kratix.io/resource-name"
	ResourceNamespaceLabel = "kratix.io/resource-namespace"
	PipelineNameLabel      = "kratix.io/pipeline-name"
	WorkTypeLabel          = "kratix.io/work-type"
	WorkLabel              = "kratix.io/work"
	WorkloadGroupIDLabel   = "kratix.io/workload-group-id"
	TargetDestinationLabel = "kratix.io/targetDestinationName"
	MisplacedLabel         = "kratix.io/misplaced"
	DryRunLabel            = "kratix.io/dry-run"
)

// The values of WorkTypeLabel.
const (
	PromiseWorkType          = "promise"
	ResourceWorkType         = "resource"
	StaticDependencyWorkType = "static-dependency"
)

// The conditions of Works and WorkPlacements.
const (
	ReadyCondition             = "Ready"
	ScheduleSucceededCondition = "ScheduleSucceeded"
	WriteSucceededCondition    = "WriteSucceeded"
	// ConflictFreeCondition is not Kratix's. It is false while something keeps
	// what is asked for from being written, since Flux could not build it.
	ConflictFreeCondition = "ConflictFree"
	// ScheduledCondition is not Kratix's either. Where this program schedules and
	// Kratix writes, it says of a Work whether all of its groups have WorkPlacements.
	ScheduledCondition = "Scheduled"
	// SoleSchedulerCondition is not Kratix's. It is false on a Destination while
	// another scheduler than this program places Works, or may.
	SoleSchedulerCondition = "SoleScheduler"
	// PromotedCondition is not Kratix's. Where Kratix writes to a state store that no
	// cluster reads, it says of a WorkPlacement whether it is in the live one.
	PromotedCondition = "Promoted"
)

// The finalizers of WorkPlacements, of Destinations whose files go with them, and
// the one that Kratix sets on Works.
const (
	PlacementFinalizer   = "finalizers.workplacement.kratix.io/repo-cleanup"
	DotFilesFinalizer    = "finalizers.workplacement.kratix.io/kratix-dot-files-cleanup"
	DestinationFinalizer = "kratix.io/destination-cleanup"
	WorkFinalizer        = "kratix.io/work-cleanup"
	// LiveFinalizer is not Kratix's. It keeps a Destination whose files go with it until
	// they have left the live state store.
	LiveFinalizer = "kratix-schedule.io/live-cleanup"
)

// DefaultDirectory is the directory of the group that holds every file which
// no other group claims.
const DefaultDirectory = "."

// Object is any of the kinds of this package.
//
// +kubebuilder:object:generate=false
type Object interface {
	GetName() string
	GetNamespace() string
	GetLabels() map[string]string
	// Kind is the object's kind as written in YAML.
	KindName() string
}

// Key names a namespaced object.
//
// +kubebuilder:object:generate=false
type Key struct{ Namespace, Name string }

// String returns "namespace/name", or the name alone.
func (k Key) String() string {
	if k.Namespace == "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}

// Compare orders keys by namespace and name.
func (k Key) Compare(other Key) int {
	if c := cmp.Compare(k.Namespace, other.Namespace); c != 0 {
		return c
	}
	return cmp.Compare(k.Name, other.Name)
}

// KeyOf returns an object's key.
func KeyOf(o Object) Key { return Key{o.GetNamespace(), o.GetName()} }

// Describe names an object as a person would: "Work default/example".
func Describe(o Object) string { return o.KindName() + " " + KeyOf(o).String() }

// GroupID returns the id of a directory's workload group: the hexadecimal MD5 of
// the directory's name, as Kratix computes it.
func GroupID(directory string) string {
	sum := md5.Sum([]byte(directory)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// shortIDLength is how much of a group's id names and paths carry.
const shortIDLength = 5

// ShortID returns the part of a group's id that names and paths carry.
func ShortID(id string) string { return id[:min(len(id), shortIDLength)] }

// typeMeta is the apiVersion and kind of an object of Kratix.
func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: APIVersion, Kind: kind}
}
