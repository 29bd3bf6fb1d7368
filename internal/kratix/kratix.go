// +kubebuilder:object:generate=true
// +kubebuilder:validation:Optional

// Package kratix defines the kinds of platform.kratix.io/v1alpha1 that are needed to place and
// write Works, and parses their objects from YAML. It does no I/O.
package kratix

// The Kubernetes client needs the generated DeepCopy methods.
//go:generate go tool -modfile=../../go.tool.mod controller-gen object paths=.

import (
	"cmp"
	"crypto/md5" //nolint:gosec // Kratix defines the ID of a group as this hash, which protects nothing
	"encoding/hex"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Group is the API group of Kratix's kinds.
const Group = "platform.kratix.io"

// APIVersion is the API group and version of Kratix's kinds.
const APIVersion = Group + "/v1alpha1"

// SystemNamespace is the namespace of the Works of Promises.
const SystemNamespace = "kratix-platform-system"

// The labels of Works, WorkPlacements and Destinations.
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

// The conditions of Works, WorkPlacements and Destinations.
const (
	ReadyCondition             = "Ready"
	ScheduleSucceededCondition = "ScheduleSucceeded"
	WriteSucceededCondition    = "WriteSucceeded"
	// ConflictFreeCondition is False if a placement of the object is quarantined.
	ConflictFreeCondition = "ConflictFree"
	// ScheduledCondition is True on a Work if each group has a WorkPlacement where it fits.
	ScheduledCondition = "Scheduled"
	// SoleSchedulerCondition is False on Destinations if another program can place Works.
	SoleSchedulerCondition = "SoleScheduler"
	// PromotedCondition is True on a WorkPlacement if its files have been copied to the live state
	// store.
	PromotedCondition = "Promoted"
	// AppliedCondition is True if the agent of the Destination has applied the objects.
	// HealthyCondition is True if the agent has reported that they are healthy.
	AppliedCondition = "Applied"
	HealthyCondition = "Healthy"
	// RolledOutCondition is True on a Work if all its Destinations have its content.
	RolledOutCondition = "RolledOut"
)

// ReportedAnnotation is the annotation of a Destination that stores the states that its agent has
// reported.
const ReportedAnnotation = "kratix-schedule.io/reported"

// Finalizers of WorkPlacements, Destinations and Works.
const (
	PlacementFinalizer   = "finalizers.workplacement.kratix.io/repo-cleanup"
	DotFilesFinalizer    = "finalizers.workplacement.kratix.io/kratix-dot-files-cleanup"
	DestinationFinalizer = "kratix.io/destination-cleanup"
	WorkFinalizer        = "kratix.io/work-cleanup"
	// LiveFinalizer keeps a Destination until its files are deleted from the live state store.
	LiveFinalizer = "kratix-schedule.io/live-cleanup"
)

// DefaultDirectory is the directory of the group with all files that are in no other group.
const DefaultDirectory = "."

// Object is an object of any kind of this package.
//
// +kubebuilder:object:generate=false
type Object interface {
	GetName() string
	GetNamespace() string
	GetLabels() map[string]string
	GetAnnotations() map[string]string
	// KindName returns the object's kind.
	KindName() string
}

// Key identifies a namespaced object.
//
// +kubebuilder:object:generate=false
type Key struct{ Namespace, Name string }

// String returns "namespace/name", or only the name if there is no namespace.
func (k Key) String() string {
	if k.Namespace == "" {
		return k.Name
	}
	return k.Namespace + "/" + k.Name
}

// Compare compares keys by namespace, then by name.
func (k Key) Compare(other Key) int {
	if c := cmp.Compare(k.Namespace, other.Namespace); c != 0 {
		return c
	}
	return cmp.Compare(k.Name, other.Name)
}

// KeyOf returns the key of an object.
func KeyOf(o Object) Key { return Key{o.GetNamespace(), o.GetName()} }

// Describe returns an object's kind and name: "Work default/example".
func Describe(o Object) string { return o.KindName() + " " + KeyOf(o).String() }

// GroupID returns the ID of a directory's group. As in Kratix, it is the hexadecimal MD5 hash of
// the directory's name.
func GroupID(directory string) string {
	sum := md5.Sum([]byte(directory)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

// shortIDLength is the length of the prefix of a group's ID in names and paths.
const shortIDLength = 5

// ShortID returns the prefix of a group's ID that is used in names and paths.
func ShortID(id string) string { return id[:min(len(id), shortIDLength)] }

func typeMeta(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: APIVersion, Kind: kind}
}
